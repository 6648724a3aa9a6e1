"""When two jobs are the same: what the platform stored of both, without ids, mark and spelling."""

import csv
import hashlib
import io
import json

from doe_compiler.bundle.mark import read_mark
from doe_compiler.generators.catalogue import GENERATORS

READ_ONLY = {"id", "owner", "dateInserted", "expectedRuns", "sharedWith", "name"}
MARKERS = {"DOE_STUDY", "DOE_RECIPE", "DOE_ROWS", "DOE_RESPONSES", "DOE_PARTS", "DOE_ORIGIN"}


def equivalent_form(client, job_id):
    """A job as a value that is equal for equivalent jobs; files by the MD5 of their bytes, CSVs by their cells."""
    job = client.job(job_id).raw
    name = job["name"]
    mark = read_mark(name)
    files = _Files(client)
    form = {key: value for key, value in job.items() if key not in READ_ONLY}
    return json.loads(
        json.dumps(
            {
                **{key: value for key, value in form.items() if value is not None},
                "title": name.replace(str(mark), "").strip() if mark else name,
                "paramFile": files.table(job["paramFile"]),
                "caseFile": files.md5(job["caseFile"]),
                "jobvariables": _variables(job["jobvariables"]),
                "jobanalyses": [_analysis(analysis, files) for analysis in job["jobanalyses"]],
            }
        )
    )


class _Files:
    def __init__(self, client):
        self._client = client

    def content(self, reference):
        return self._client.read_file(reference["id"], 1 << 30)

    def md5(self, reference):
        return None if reference is None else hashlib.md5(self.content(reference)).hexdigest()

    def named(self, reference):
        return None if reference is None else [reference["name"], self.md5(reference)]

    def table(self, reference):
        if reference is None:
            return None
        text = self.content(reference).decode("utf-8-sig")
        rows = csv.reader(io.StringIO(text), skipinitialspace=True)
        return [[cell.strip() for cell in row] for row in rows if row]


def _variables(variables):
    in_order = sorted(variables, key=lambda each: each["displayOrder"])
    return [{**each, "displayOrder": None, "valueGeneratorSettings": _settings(each)} for each in in_order]


def _settings(variable):
    known = GENERATORS[variable["valueGeneratorType"]].wire if variable["valueGeneratorType"] else {}
    return {
        key: float(value) if key in known else value
        for key, value in variable["valueGeneratorSettings"].items()
    }


def _analysis(analysis, files):
    return {
        **{key: value for key, value in analysis.items() if value is not None},
        "envVars": {name: value for name, value in analysis["envVars"].items() if name not in MARKERS},
        "inputFiles": [[*files.named(each), each["decompress"]] for each in analysis["inputFiles"]],
        "templateTasks": [
            [task["processedFilename"], files.md5(task["templateFile"])] for task in analysis["templateTasks"]
        ],
        "preProcessScript": files.named(analysis["preProcessScript"]),
        "postProcessScript": files.named(analysis["postProcessScript"]),
    }
