"""The shapes of bodies and answers, as JSON Schema, for the OpenAPI document."""

from collections.abc import Mapping

from doe_compiler.platform.api.bodies import CUSTOM_FIELDS, FILE_CHANGE, SHARE, TAG, TAG_CHOICE
from doe_compiler.platform.api.forms import JsonObject
from doe_compiler.platform.api.jobform import job_form

TEXT: JsonObject = {"type": "string"}
TEXT_OR_NULL: JsonObject = {"type": ["string", "null"]}
DATE: JsonObject = {"type": "string", "format": "date-time"}
DATE_OR_NULL: JsonObject = {"type": ["string", "null"], "format": "date-time"}
WHOLE: JsonObject = {"type": "integer"}
WHOLE_OR_NULL: JsonObject = {"type": ["integer", "null"]}
FLAG: JsonObject = {"type": "boolean"}
ANYTHING: JsonObject = {}
FREE: JsonObject = {"type": "object"}


def reference(name: str) -> JsonObject:
    """A reference to one of the shapes."""
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: Mapping[str, JsonObject], *required: str, **more: object) -> JsonObject:
    return {"type": "object", "properties": dict(properties), "required": list(required), **more}


def _all(properties: Mapping[str, JsonObject], **more: object) -> JsonObject:
    return _object(properties, *properties, **more)


def _list(of: JsonObject) -> JsonObject:
    return {"type": "array", "items": of}


FILE = _all(
    {
        "id": TEXT,
        "name": TEXT,
        "relativePath": TEXT,
        "path": TEXT,
        "typeId": WHOLE,
        "decryptedSize": WHOLE,
        "md5": TEXT,
        "fileChecksums": _list(_all({"hashFunction": TEXT, "fileHash": TEXT})),
        "dateUploaded": DATE_OR_NULL,
        "downloadUrl": TEXT,
        "encodedEncryptionKey": TEXT,
        "isUploaded": FLAG,
        "isDeleted": FLAG,
        "owner": TEXT,
        "sharedWith": _list(TEXT),
        "viewInBrowser": FLAG,
    }
)
JOB_FORM = job_form(lambda _: None).schema
JOB_FIELDS: Mapping[str, JsonObject] = JOB_FORM["properties"]  # type: ignore[assignment]
EXAMPLE_JOB = {
    "name": "Example Job",
    "jobanalyses": [
        {
            "analysis": {"code": "user_included", "version": "0"},
            "command": 'echo "Hello world"',
            "hardware": {"coreType": "standard-plus", "coresPerSlot": 1},
        }
    ],
}
JOB_ANALYSIS = _object(
    {
        "analysis": _all({"code": TEXT, "name": TEXT, "version": TEXT_OR_NULL, "versionName": TEXT}),
        "command": TEXT,
        "hardware": _all(
            {
                "coreSummary": _all(
                    {"memoryPerNode": WHOLE, "numberOfNodes": {"type": "number"}, "storagePerNode": WHOLE}
                ),
                "coreType": TEXT,
                "coresPerSlot": WHOLE,
                "slots": WHOLE,
                "walltime": {"type": ["number", "null"]},
            }
        ),
        "envVars": FREE,
        "flags": ANYTHING,
        "useMpi": FLAG,
        "useRescaleLicense": FLAG,
        "inputFiles": _list(ANYTHING),
        "templateTasks": _list(_all({"processedFilename": TEXT, "templateFile": ANYTHING})),
        "preProcessScript": ANYTHING,
        "preProcessScriptCommand": TEXT,
        "postProcessScript": ANYTHING,
        "postProcessScriptCommand": TEXT,
    },
    "analysis",
    "command",
    "hardware",
    "inputFiles",
    "templateTasks",
)
CONTENT = _all({"content": TEXT, "labelClass": TEXT, "useLabel": FLAG})

SCHEMAS: Mapping[str, JsonObject] = {
    "Error": {
        "description": "One sentence in `detail`, or a map of fields to lists of sentences, of the input's shape.",
        "anyOf": [_object({"detail": TEXT}, "detail"), FREE, {"type": "array"}],
    },
    "Root": {"type": "object", "additionalProperties": TEXT},
    "File": FILE,
    "FileChange": FILE_CHANGE.schema,
    "Upload": _object(
        {"file": {"type": "string", "format": "binary"}, "typeId": {"type": "integer", "minimum": 1}}, "file"
    ),
    "Lines": _all({"lines": _list(TEXT)}),
    "JobForm": {**JOB_FORM, "examples": [EXAMPLE_JOB]},
    "JobChange": _object(JOB_FIELDS, examples=[{"name": "Jobster"}]),
    "Job": _object(
        {
            **JOB_FIELDS,
            "id": TEXT,
            "owner": TEXT,
            "dateInserted": DATE,
            "expectedRuns": WHOLE,
            "paramFile": ANYTHING,
            "caseFile": ANYTHING,
            "jobanalyses": _list(JOB_ANALYSIS),
            "optimizer": ANYTHING,
            "remoteVizConfig": ANYTHING,
        },
        "id", "name", "owner", "dateInserted", "expectedRuns", "jobanalyses", "jobvariables", "paramFile",
        "caseFile", "archiveFilters", "resourceFilters", "isLowPriority", "isTemplateDryRun",
        "includeNominalRun", "monteCarloIterations", "optimizer", "remoteVizConfig",
    ),
    "JobItem": _all(
        {
            "id": TEXT,
            "name": TEXT,
            "owner": TEXT,
            "dateInserted": DATE,
            "analysisNames": _list(TEXT),
            "jobStatus": CONTENT,
            "clusterStatusDisplay": CONTENT,
            "isVisible": FLAG,
            "runsCompleted": WHOLE_OR_NULL,
            "runsFailed": WHOLE_OR_NULL,
            "sharedWith": _list(TEXT),
            "statusReason": TEXT_OR_NULL,
            "storage": WHOLE,
        }
    ),
    "Status": _all({"status": TEXT, "statusDate": DATE, "statusReason": TEXT_OR_NULL}),
    "ShareForm": {
        **SHARE.schema,
        "examples": [{"email": "support@example.com", "message": "This job does not converge"}],
    },
    "Share": _all({"recipient": TEXT, "supportDesk": ANYTHING}),
    "Instance": _all(
        {
            "id": TEXT,
            "status": TEXT,
            "coreType": TEXT,
            "cores": WHOLE,
            "dateStarted": DATE_OR_NULL,
            "clusterId": TEXT,
            "publicIp": {**TEXT, "format": "ipv4"},
            "sshPort": WHOLE,
            "username": TEXT,
            "role": TEXT,
        }
    ),
    "LogEntry": _all({"date": DATE, "message": TEXT}),
    "Tag": _all({"id": TEXT, "name": TEXT}),
    "TagForm": {**TAG.schema, "examples": [{"name": "wing"}]},
    "TagChoice": {**TAG_CHOICE.schema, "examples": [{"name": "wing"}]},
    "CustomFields": {"type": "object", "additionalProperties": ANYTHING},
    "CustomFieldsForm": {
        **CUSTOM_FIELDS.schema,
        "examples": [{"project": "X-1"}, {"name": "project", "value": "X-1"}],
    },
    "StorageDevice": FREE,
    "Run": _all(
        {
            "id": TEXT,
            "displayOrder": WHOLE,
            "type": WHOLE,
            "isOptimal": FLAG,
            "parent": ANYTHING,
            "dateStarted": DATE_OR_NULL,
            "dateCompleted": DATE_OR_NULL,
            "exitCode": {"type": ["integer", "null"], "description": "An addition of this platform."},
            "outputFileCount": WHOLE,
            "outputFileSize": WHOLE,
            "variables": _list(
                _all(
                    {
                        "name": TEXT,
                        "value": {"type": ["number", "null"]},
                        "displayValue": TEXT,
                        "isRelative": FLAG,
                    }
                )
            ),
        }
    ),
    "DirectoryEntry": _all({"name": TEXT, "path": TEXT, "size": WHOLE, "isDirectory": FLAG}),
    "CoreType": _object(
        {
            "code": TEXT,
            "name": TEXT,
            "cores": _list(WHOLE),
            "price": TEXT,
            "lowPriorityPrice": TEXT,
            "memory": WHOLE,
            "storage": WHOLE,
            "processorInfo": TEXT,
            "categoryCodes": _list(TEXT),
            "gpuCounts": {**_list(WHOLE), "description": "As many as `cores`, or none: without GPUs."},
            "isDeprecated": FLAG,
            "walltimeRequired": FLAG,
        },
        "code",
        "name",
        "cores",
        "processorInfo",
        "categoryCodes",
        "gpuCounts",
    ),
    "Analysis": _all({"code": TEXT, "name": TEXT, "versions": _list(FREE)}),
    "User": _object(
        {
            "id": TEXT,
            "email": TEXT,
            "username": TEXT,
            "company": _all({"id": TEXT, "name": TEXT, "projects": _list(reference("Project"))}),
            "workspace": _all({"id": TEXT, "name": TEXT}),
        },
        "id",
        "email",
        "company",
        "workspace",
    ),
    "Project": _all({"id": TEXT, "name": TEXT}),
    "ComputePrice": _all(
        {
            "coreType": TEXT,
            "value": _all({"amount": TEXT, "currency": TEXT}),
            "planType": TEXT,
            "os": TEXT,
            "isActive": FLAG,
        }
    ),
}  # fmt: skip
