"""The inputs that a study names: files as they are, archives and folders by what they unpack to."""

import os
from pathlib import Path

from doe_compiler.archives.names import is_archive
from doe_compiler.spec.files import Project, local_file, path_inside
from doe_compiler.spec.model import LocalFile, PlatformFile
from doe_compiler.spec.nodes import Fields, Node, Scalar
from doe_compiler.spec.report import Report


def file_or_id(
    node: Node | None, project: Project, report: Report
) -> tuple[LocalFile | PlatformFile, bool] | None:
    """The file that an entry of `inputFiles` or `caseFile` means, and whether it is unpacked."""
    if isinstance(node, Fields) and "id" in node.entries:
        return PlatformFile(node.text("id")), node.flag("decompress", default=True)
    named = node.scalar("path") if isinstance(node, Fields) else node
    if not isinstance(named, Scalar):
        return None
    is_unpacked = node.flag("decompress", default=True) if isinstance(node, Fields) else True
    if os.path.isdir(project.folder / named.text):  # noqa: PTH112 - a text with a NUL is no folder either
        folder = _folder(named, project, report, is_unpacked=is_unpacked)
        return None if folder is None else (folder, True)
    found = local_file(named, project, report)
    if found is not None and is_unpacked and is_archive(found.name):
        from doe_compiler.spec.unpacked import archive_input  # noqa: PLC0415 - most studies name no archive

        found = archive_input(found, named, report)
    return None if found is None else (found, is_unpacked)


def _folder(node: Scalar, project: Project, report: Report, *, is_unpacked: bool) -> LocalFile | None:
    path = path_inside(node, project, report)
    if path is None:
        return None
    if not is_unpacked:
        message = f"'{node.text}' is a folder, which always arrives unpacked"
        report.error("E302", message, node.place, "remove `decompress`, or pack it yourself")
        return None
    if Path(os.path.realpath(project.folder)).is_relative_to(os.path.realpath(path)):
        report.error(
            "E302", f"'{node.text}' holds the study itself", node.place, "put the inputs into a folder below"
        )
        return None
    from doe_compiler.spec.unpacked import folder_input  # noqa: PLC0415 - most studies name no folder

    return folder_input(path, node, report)
