"""`doe validate`: check studies and the files that they name."""

import json
from pathlib import Path

import click

from doe_compiler.kernel.errors import ExitCode
from doe_compiler.kernel.findings import Finding, Severity, has_errors, rendered
from doe_compiler.spec.read import find_studies


@click.command("validate")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Findings as JSON on stdout.")
@click.option(
    "--sarif",
    "sarif_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Findings as SARIF too, which code hosts show at their lines.",
)
def command(paths: tuple[Path, ...], as_json: bool, sarif_file: Path | None) -> int:
    """Check studies (files, or folders that are searched for them), all files that they name, and their designs.

    Exit 3 if one is invalid, 5 if all that is wrong is that it breaks its limits or a doe-policy.yaml.
    """
    from doe_compiler.pipeline.compiling import checked
    from doe_compiler.plan.limits import CODES as LIMIT_CODES

    findings: list[Finding] = []
    invalid: list[str] = []
    codes = {ExitCode.DONE}
    lines: dict[str, list[str]] = {}
    studies = find_studies(list(paths))
    for study in studies:
        found, shown = checked(study)
        findings += found
        if has_errors(found):
            invalid.append(str(study))
            is_sound = all(each.code in LIMIT_CODES for each in found if each.severity is Severity.ERROR)
            codes.add(ExitCode.FORBIDDEN if is_sound else ExitCode.INVALID)
        lines |= shown
    is_valid = not invalid
    if sarif_file:
        from doe_compiler.cli.asked import write_answer
        from doe_compiler.cli.sarif import sarif
        from doe_compiler.pipeline.origin import project_folder

        text = json.dumps(sarif(findings, project_folder(Path.cwd())), ensure_ascii=False, indent=1)
        write_answer([f"{text}\n".encode()], sarif_file)
    if as_json:
        report = {
            "valid": is_valid,
            "studies": [str(study) for study in studies],
            "invalid": invalid,
            "findings": [finding.as_json() for finding in findings],
        }
        click.echo(json.dumps(report, ensure_ascii=False, indent=1))
    else:
        for finding in findings:
            click.echo(rendered(finding, lines))
        click.echo(_verdict(len(studies), len(invalid)), err=True)
    if not studies or ExitCode.INVALID in codes:
        return ExitCode.INVALID
    return max(codes)


def _verdict(studies: int, invalid: int) -> str:
    if not studies:
        return "no study found"
    if studies == 1:
        return f"1 study: {'invalid' if invalid else 'valid'}"
    return f"{studies:,} studies: {studies - invalid:,} valid, {invalid:,} invalid"
