note='${note}'
export note
