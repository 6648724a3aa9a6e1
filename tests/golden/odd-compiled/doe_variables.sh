c='${c}'
export c
n='${n}'
export n
