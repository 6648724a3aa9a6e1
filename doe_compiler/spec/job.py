"""The section `job`."""

from collections.abc import Mapping
from typing import cast

from doe_compiler.spec.files import Project
from doe_compiler.spec.inputs import file_or_id
from doe_compiler.spec.model import JobSpec, LocalFile, PlatformFile, Share
from doe_compiler.spec.nodes import Fields, Items, Scalar, plain
from doe_compiler.spec.report import Report


def read_job(section: Fields, project: Project, report: Report, *, samples_there: bool) -> JobSpec:
    """The job's settings of a section that fits the schema; `samples_there` where the platform makes the runs."""
    return JobSpec(
        is_low_priority=section.flag("isLowPriority"),
        expected_run_hours=section.real("expectedRunHours"),
        case_file=_platform_s_cases(section, project, report) if samples_there else None,
        runs_per_job=section.integer("runsPerJob"),
        include_nominal_run=section.flag("includeNominalRun"),
        is_template_dry_run=section.flag("isTemplateDryRun"),
        resource_filters=_resource_filters(section),
        share=_shares(section),
        tags=tuple(dict.fromkeys(node.text for node in section.items("tags") if isinstance(node, Scalar))),
        raw=section.plain("raw"),
    )


def _platform_s_cases(section: Fields, project: Project, report: Report) -> LocalFile | PlatformFile | None:
    """The case file as it stands: the platform crosses it with what it samples."""
    found = file_or_id(section.get("caseFile"), project, report)
    return None if found is None else found[0]


def _resource_filters(section: Fields) -> tuple[Mapping[str, object], ...] | None:
    node = section.get("resourceFilters")
    if not isinstance(node, Items):
        return None
    return tuple(cast("Mapping[str, object]", plain(item)) for item in node)


def _shares(section: Fields) -> tuple[Share, ...]:
    """The people to share with: an address once, however its letters are written."""
    found: dict[str, Share] = {}
    for node in section.items("share"):
        if isinstance(node, Fields):
            share = Share(node.text("email"), node.text("message"))
            found.setdefault(share.email.casefold(), share)
    return tuple(found.values())
