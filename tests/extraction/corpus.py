"""What solvers write and what is to be read there: (extractor, bytes of the file, value, part of what is told).

A value of None is none; then what is told says why.
"""


def regex(pattern, take="last"):
    return {"kind": "regex", "regex": pattern, "take": take}


def csv(column, take="last"):
    return {"kind": "csv", "column": column, "take": take}


def json(path):
    return {"kind": "json", "path": path}


NAN = b"r = nan\nr = 1\nr = NaN\nr = 2\nr = ****\n"
OPENFOAM = (
    b"# Force and moment coefficients\n# dragDir             : (1.0e+00 0.0e+00 0.0e+00)\n# magUInf   : 2.6e+01\n# \n"
    b"# Time              \tCd                  \tCd(f)               \tCl\n1\t4.1e-01\t2.0e-01\t1.5\n2\t3.9e-01\t2.1e-01\t1.6\n"
)
AVE = b"# Time-averaged data for fix 1\n# TimeStep c_thermo_temp c_thermo_press\n100 300.1 1.01\n200 301.2 1.02\n"
CHUNK = (
    b"# Chunk-averaged data for fix 2 and group all\n# Timestep Number-of-chunks Total-count\n"
    b"# Chunk Coord1 Ncount\n1000 2 300\n  1 0.5 100\n  2 1.5 200\n2000 2 310\n  1 0.5 101\n  2 1.5 209\n"
)
FDS = b's,kW,kW\n"Time","HRR","Q_RADI"\n 0.0000000E+000, 0.0E+000, 1.0E-003\n 1.0E+000, 2.5E+002,-8.0E+001\n'
UNITS = (
    "(Pa)", "[Pa]", "[ Pa ]", "(N/m^2)", "(kg m^-2 s^-1)", "[kg·m⁻²]", "(J/(kg K))", "(W m-2 K-1)", "[-]", "(%)", "(degC)",
    "[°C]", "(deg C)", "(mmHg)", "(inH2O)", "(kip-ft)", "(lbf/ft^2)", "(psia)", "(m2/s2)", "(1/s)", "(rad/s)", "[1]",
    "(dB)", "(kmol/hr)", "(cm^3)", "(kWh)", "(N.m)", "(ms)", "(MPa)", "(wt%)", "(counts)", "(dimensionless)", "(mm/yr)",
)  # fmt: skip
NO_UNITS = (
    "(viscous)", "(pressure)", "(wall)", "[left]", "(mean)", "(max)", "(total)", "(0 0 0)", "(probe 1)", "(Zone 2)",
    "(x=0.5)", "(upper surface)", "[old]", "(2)",
)  # fmt: skip
COMSOL = (
    b"% Model:              beam.mph\n% Version:            COMSOL 6.1\n% Table:              Table 1 - Point Evaluation\n"
    b"% freq (Hz)               T (K)                    solid.disp (mm)\n1                         293.15                   0.25\n"
)
FLUENT = b'"report-def-0-rfile"\n"Iteration" "cd 1"\n("Iteration" "cd 1")\n1 0.5\n2 0.25\n'

TWO = b"time,drag\n0,1.5\n1,2.5\n"
CORPUS = [
    # Another table, and lines below a table.
    (csv("drag"), TWO + b"\nnode,stress\n1,150\n2,200\n", "2.5", ""),
    (csv("drag"), TWO + b"node,stress\n1,150\n2,200\n", "2.5", ""),
    (csv("drag", "max"), TWO + b"lift,time\n8,150\n", "2.5", ""),
    (csv("drag"), TWO + b"time,drag,lift\n2,3.5,1\n", "3.5", ""),
    (csv("drag"), TWO + b"# node,reaction\n1,777\n", None, "another table"),
    (csv("drag"), TWO + b"CONVERGED,0\n", None, "'CONVERGED' in a column of numbers"),
    (csv("drag", "mean"), TWO + b"CONVERGED,0\n", "2.0", "1 of 3"),
    (csv("drag", "first"), TWO + b"CONVERGED,0\n", "1.5", ""),
    (csv("Cd"), b"iter  Cd\n1  0.5\n2  0.6\nElapsed 101\n", None, "'Elapsed' in a column of numbers"),
    (csv("Cd"), b"iter\tCd\n1\t0.5\n2\t0.6\nElapsed\t101\n", None, "'Elapsed' in a column of numbers"),
    (csv("force"), b"time\tforce\n0\t2.5\n1\t1,234\n", None, "'1,234' beside numbers with a decimal point"),
    (csv("force", "max"), b"time\tforce\n0\t2.5\n1\t1,234\n", "2.5", "1 of 2"),
    (csv("force"), b"time;force\n0;2,5\n1;1,234\n", "1.234", ""),
    (csv("f", "mean"), b"t;f\n1;999,5\n2;1.000\n3;1.000,5\n", "1000.0", "1 of 3"),
    (csv("f", "min"), b"t;f\n1;999,5\n2;1.000\n3;1.000,5\n", "999.5", "1 of 3"),
    (csv("f"), b"t;f\n1;998,5\n2;1.000,5\n3;1.250\n", None, "'1.250' beside numbers with a decimal comma"),
    (csv("f"), b"t\tf\n1\t999,5\n2\t1.000\n", None, "'1.000' beside numbers with a decimal comma"),
    (csv("f"), b"t f\n1 999,5\n2 1.000\n", None, "'1.000' beside numbers with a decimal comma"),
    (csv("f", "first"), b"t;f\n1;1.000\n2;999,5\n", None, "'1.000' beside numbers with a decimal comma"),
    (csv("f", "first"), b"t;f\n1;1,234\n2;2,345.5\n", None, "'1,234' beside numbers with a decimal point"),
    (csv("f", "max"), b"t;f\n1;1,234\n2;2,345.5\n", None, "'1,234' beside numbers with a decimal point"),
    (csv("f", "first"), b"t;f\n1;1,234\n2;0,5\n", "1.234", ""),
    (csv("f", "first"), b"t;f\n1;1,234\n2;2,345\n", "1.234", ""),
    (csv("f", "first"), b"t;f\n1;1.234\n2;2.345\n", "1.234", ""),
    (csv("f"), b"t;f\n0.5;0,125\n1.5;1,250\n", "1.250", ""),
    (csv("t"), b"t;f\n0.500;999,5\n1.250;1000,5\n", "1.250", ""),
    (
        csv("f"),
        b"t f\n" + b"1 1.250\n" * 3000 + b"2 0,5\n",
        None,
        "'1.250' beside numbers with a decimal comma",
    ),
    (csv("b"), b"a,b\n1,2\nnan,3\n****,4\n", "4", ""),
    (csv("b"), b"a,note,b\n1,ok,2\n2,bad,3\n", "3", ""),
    (csv("b"), b"a,b\n1,2\n# a note, with a comma\n2,3\n", None, "another table"),
    # Line ends.
    (regex("Cd = ([0-9.]+)$"), b"Cd = 0.25\r\nTotal\r\n", "0.25", ""),
    (regex(r"^Step \d+ res=(\S+)"), b"Step 1 res=0.5\rStep 2 res=0.25\rStep 3 res=0.125\nEnd\n", "0.125", ""),
    (regex("^b (\\S+)$", "first"), b"a 1\rb 2\rb 3", "2", ""),
    (csv("p"), b"t,p\r0,1\r1,3\r", "3", ""),
    (csv("p"), b"t,p\r\n0,1\r\n1,3", "3", ""),
    # Encodings.
    (regex("^Cl = (\\S+)"), b"\xef\xbb\xbfCl = 0.75\n", "0.75", ""),
    (regex("MAX=(\\S+)"), "\ufeffvout: MAX=5.25 FROM 0\r\n".encode("utf-16-le"), "5.25", ""),
    (regex("MAX=(\\S+)"), "\ufeffvout: MAX=5.25 FROM 0\r\n".encode("utf-16-be"), "5.25", ""),
    (regex("^vout: MAX=(\\S+)"), "vout: MAX=5.25 FROM 0\r\n".encode("utf-16-le"), "5.25", ""),
    (regex("MAX=(\\S+)"), "\ufeffvout: MAX=5.25 FROM 0\r\n".encode("utf-32-le"), "5.25", ""),
    (json("drag"), b'\xef\xbb\xbf{"drag": 0.5}', "0.5", ""),
    (json("drag"), '\ufeff{"drag": 0.5}'.encode("utf-16-le"), "0.5", ""),
    (csv("Cd"), b"\xef\xbb\xbfCd,Cl\r\n0.1,0.2\r\n0.3,0.4\r\n", "0.3", ""),
    (csv("T [\xb0C]"), b"t,T [\xb0C]\n0,21.5\n", "21.5", ""),
    (csv("T [\xb0C]"), "t,T [\xb0C]\n0,21.5\n".encode(), "21.5", ""),
    (regex("v \xb5 (\\d) \xb0"), "v \xb5 1 \xb0\n".encode() + b"v \xb5 2 \xb0\n", "2", ""),
    # Numbers.
    (regex(r"v=\s*(\S+)", "min"), b"v= 0.5D+00\nv= 0.9D-10\nv= 0.25-101\n", "0.25e-101", ""),
    (regex(r"v=\s*(\S+)"), b"v= 1.5D-03\n", "1.5e-03", ""),
    (regex(r"v=\s*(\S+)"), b"v= -1.5d3\n", "-1.5e3", ""),
    (regex(r"v=\s*(\S+)"), b"v= .5Q+10\n", ".5e+10", ""),
    (regex(r"v=\s*(\S+)"), b"v= 10-12\n", "10-12", ""),
    (regex(r"v=\s*(\S+)"), b"v= 1_000\n", "1_000", ""),
    (regex(r"v=\s*(\S+)", "max"), b"v= 1_000\nv= 3\n", "3", "1 of 2 values are no numbers"),
    (regex(r"v=\s*(\S+)"), b"v= 0.1000000000000000055\n", "0.1000000000000000055", ""),
    (regex(r"v=\s*(\S+)", "mean"), b"v= 0.5\nv= 0.25\nv= 1.5D-01\n", "0.3", ""),
    (regex(r"v=\s*(\S+)"), b"v= 1e999\n", None, "beyond all numbers"),
    # No values.
    (regex(r"r = (\S+)", "min"), NAN, "1", "3 of 5 values are no numbers"),
    (regex(r"r = (\S+)", "max"), NAN, "2", "3 of 5 values are no numbers"),
    (regex(r"r = (\S+)", "mean"), NAN, "1.5", "3 of 5 values are no numbers"),
    (regex(r"r = (\S+)", "first"), NAN, None, "the first value: 'nan' is no value"),
    (regex(r"r = (\S+)", "last"), NAN, None, "the last value: '****' is no value"),
    (regex(r"r = (\S+)", "mean"), b"r = nan\nr = x\n", None, "none of 2 values is a number"),
    (regex(r"r =(.*)"), b"r =   \n", None, "empty"),
    (regex(r"r = (\S+)"), b"r = -1.#IND00\n", None, "no value"),
    (regex(r"r = (\S+)"), b"r = Infinity\n", None, "no value"),
    (regex(r"r = (\S+)"), b"r = NULL\n", None, "no value"),
    (regex(r"r = (\S+)"), b"q = 1\n", None, "nothing matches"),
    (regex(r"r = (\S+)|q"), b"r = 1\nq\n", "1", ""),
    (regex(r"^(.*)$"), b"a\nb\n", "b", ""),
    (regex(r"(.*)"), b"x" * 5000, None, "4096 characters"),
    (json("drag"), b'{"drag": null}', None, "null"),
    (json("drag"), b'{"drag": ""}', None, "empty"),
    (json("drag"), b'{"drag": NaN}', None, "'nan' is no value"),
    (json("drag"), b'{"drag": 1e999}', None, "'inf' is no value"),
    (json("drag"), b"", None, "empty"),
    (json("drag"), b'{"drag": ', None, "cannot be read"),
    (json("a"), b'{"a": ' + b"[" * 200000, None, "nested too deeply"),
    (json("a"), b'{"a": ' + b"9" * 3000 + b"}", None, "beyond all numbers"),
    (json("a"), b'{"a": 123456789012345678901234567890}', "123456789012345678901234567890", ""),
    (csv("p"), b"t,p\n0,1\n1,\n", None, "the last value: it is empty"),
    (csv("p", "max"), b"t,p\n0,1\n1,\n", "1", "1 of 2"),
    # Paths into JSON.
    (json("forces['drag [N]'][-1]"), b'{"forces": {"drag [N]": [1, 2.5]}}', "2.5", ""),
    (json('$["a.b"]'), b'{"a.b": true, "a": {"b": 1}}', "true", ""),
    (json(r"['it\'s']"), b'{"it\'s": 3}', "3", ""),
    (json("a.0"), b'{"a": [1]}', None, 'no "0" in a list of 1'),
    (json("a[7]"), b'{"a": [1]}', None, "no [7] in a list of 1"),
    (json("a[0]"), b'{"a": {"0": 1}}', None, "no [0] in an object with 1 keys"),
    # Headers.
    (csv("Cd"), OPENFOAM, "3.9e-01", ""),
    (csv("Cl", "first"), OPENFOAM, "1.5", ""),
    (csv("magUInf"), OPENFOAM, None, "the header names"),
    (
        csv("p_iters"),
        b"# Solver information   \n# Time     p_solver    p_iters\n0.1  FDICPCG   19\n0.2  FDICPCG   17\n",
        "17",
        "",
    ),
    (
        csv("p_solver"),
        b"# Solver information   \n# Time     p_solver    p_iters\n0.1  FDICPCG   19\n0.2  FDICPCG   17\n",
        "FDICPCG",
        "",
    ),
    (csv("c_thermo_temp"), AVE, "301.2", ""),
    (csv("Ncount", "max"), CHUNK, "209", ""),
    (csv("Coord1"), CHUNK, "1.5", ""),
    (csv("Total-count", "min"), CHUNK, "300", ""),
    (csv("v"), b"# TimeStep Number-of-rows\n# Row v\n10 2\n1 7.5\n2 8.5\n", "8.5", ""),
    (csv("HRR", "max"), FDS, "2.5E+002", ""),
    (csv("Q_RADI", "min"), FDS, "-8.0E+001", ""),
    (csv("T (K)"), COMSOL, "293.15", ""),
    (csv("T"), COMSOL, "293.15", ""),
    *((csv("p", "first"), f"t (s),p {unit}\n0,1\n".encode(), "1", "") for unit in UNITS),
    *(
        (
            csv("p", "first"),
            f"t (s),p {other}\n0,1\n".encode(),
            None,
            f"no column 'p': there are t (s), p {other}",
        )
        for other in NO_UNITS
    ),
    (csv("Cd"), b"t,Cd (N),Cd (viscous)\n0,1,2\n", None, "no column 'Cd'"),
    (csv("solid.disp"), COMSOL, "0.25", ""),
    (csv("cd 1"), FLUENT, "0.25", ""),
    (csv("p", "first"), b"t,p\ns,Pa\n0,1\n1,3\n", "1", ""),
    (csv("p", "first"), b"t  p\n[s] [Pa]\n0 1\n1 3\n", "1", ""),
    (csv("p", "min"), b"t,p\ns,1\n1,2\n2,3\n", "2", ""),
    (csv("p", "first"), b"t  p\n[s] 1\n1 2\n2 3\n", "2", ""),
    (csv("p", "min"), b"case,p\nA,1\nB,2\n", "1", ""),
    (csv("p", "min"), b"case,p\nA,1\n", "1", ""),
    (csv("p", "min"), b"case,p\nA,1\nfailed,-\nB,2\n", "1", "1 of 3"),
    (csv("p", "min"), b"t,p\n-,1\n1,2\n", "1", ""),
    (csv("p", "mean"), b"case;p\nmm;1\n0,5;3\n", "3.0", ""),
    (csv("result", "first"), b"case,result\nA,pass\nB,fail\n", "pass", ""),
    (csv("2"), b"Time,1,2\n0,5,6\n", "6", ""),
    (csv("2"), b"# Probe 0 (0 0 0)\n#   Probe   1   2\n#    Time\n 0.1  5  6\n", "6", ""),
    (csv("p"), b"p\n5\n7\n", "7", ""),
    (csv("q"), b"t,p\n0,1\n", None, "no column 'q': there are t, p"),
    (csv("p"), b"t,p,p\n0,1,2\n", None, "2 columns are named 'p'"),
    (csv("p"), b"t,p\n", None, "there are no rows"),
    (csv("p"), b"", None, "there are no rows"),
    (csv("p"), b"1 2\n3 4\n", None, "no column 'p'"),
    # Widths: never a shifted value.
    (
        csv("pressure"),
        b"time drag force pressure\n0 1 2\n1 3 4\n",
        None,
        "the header names 4 columns, a row has 3 cells",
    ),
    (csv("p"), b"# t p\n0 1 2\n", None, "the header names 2 columns, a row has 3 cells"),
    (csv("p"), b"t p\n0 1\n1 3 9\n", None, "line 3 has 3 cells, its header 2"),
    (csv("p", "max"), b"t p\n0 1\n1\n2 2\n", "2", "1 of 3 values are no numbers"),
    (csv("p"), b"t,p\n0,1,5\n", None, "the header names 2 columns, a row has 3 cells"),
    (csv("p"), b"t,p,\n0,1,\n", "1", ""),
    (csv("p"), b"t,p\n0,1,,\n", "1", ""),
    # Quotes and decimal commas.
    (csv("p, total"), b'"t","p, total"\n0,"1"\n1,"3"\n', "3", ""),
    (csv("p"), b'name,p\n"beam, long",3\n', "3", ""),
    (csv("p"), b'name,p\n"beam\nlong",3\n', "3", ""),
    (csv("p"), b't,p\n0,1\n"open,2\n', None, "a quote is never closed"),
    (csv("p"), b"t;p\n0;1,5\n1;2,25\n", "2.25", ""),
    (csv("p", "mean"), b"t;p\n0;1,5\n1;2,5\n", "2.0", ""),
    (csv("p"), b"t;p\n0;1.234,5\n", "1234.5", ""),
    (csv("p"), b"t\tp\n0\t-1,5E-3\n", "-1.5E-3", ""),
    (csv("p"), b"t  p\n1 0,5\n", "0.5", ""),
    (csv("p"), b"t,p\n1 0,5\n", "0.5", ""),
    # A solver that goes on in the same file.
    (csv("Cd"), b"# Time Cd Cl\n1 2 3\n# Time Cl Cd\n2 4 5\n", "5", ""),
    (csv("Cd"), b"Time,Cd\n1,2\nTime,Cd\n3,4\n", "4", ""),
    (csv("Cd"), b"# Time Cd\n1 2\n# Cd is\n3 4\n", "4", ""),
    # Matches over line ends.
    (regex(r"Begin\n(\S+)\nEnd"), b"Begin\r\n7\r\nEnd\r\n", "7", ""),
    (regex(r"(?s)Begin(?:.*)x=(\d)"), b"Begin\n" + b"y\n" * 50000 + b"x=3\n", "3", ""),
    (regex(r"\A(\d)\n"), b"1\n2\n", "1", ""),
    (regex(r"(\d)\n\Z"), b"1\n2\n", "2", ""),
]
