"""Write the compiled study to a folder that can be committed, the whole of it or nothing; and check such a folder."""

import filecmp
import hashlib
import json
import os
import tempfile
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from doe_compiler.archives.packing import sent_chunks
from doe_compiler.bundle.mark import RECIPE_DIGITS, Mark, marked_name
from doe_compiler.bundle.pack import Bundle, BundleFile, Job
from doe_compiler.bundle.payload import reference_of
from doe_compiler.pipeline.folders import replaced

MANIFEST = "manifest.json"
_NO_NONCE = "0" * 16
_CHUNKS_AHEAD = 4


def written(bundle: Bundle, folder: Path) -> list[Path]:
    """Write the bundle to a folder that is new, empty, or holds an older bundle; the paths of its files."""
    names = replaced(folder, _listed, "a compiled study", lambda half_made: _fill(bundle, half_made))
    return [folder / name for name in names]


def differences(bundle: Bundle, folder: Path) -> list[str]:
    """In what a folder differs from the bundle as it would be written, a line a file; none if it is just that."""
    with tempfile.TemporaryDirectory() as name:
        fresh = Path(name)
        wanted = set(_fill(bundle, fresh))
        held = {
            Path(parent, file).relative_to(folder).as_posix()
            for parent, _, files in os.walk(folder)
            for file in files
        }
        return [
            *(f"missing: {path}" for path in sorted(wanted - held)),
            *(f"too much: {path}" for path in sorted(held - wanted)),
            *(
                f"another: {path}"
                for path in sorted(wanted & held)
                if not filecmp.cmp(fresh / path, folder / path, shallow=False)
            ),
        ]


def _listed(folder: Path) -> frozenset[str]:
    """The files that the bundle in a folder consists of."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return frozenset()
    try:
        document = json.loads(manifest.read_bytes())
    except (OSError, ValueError, RecursionError):
        return frozenset()
    files = document.get("files") if isinstance(document, dict) and "doe" in document else None
    return frozenset({MANIFEST, *files}) if isinstance(files, dict) else frozenset()


def _fill(bundle: Bundle, folder: Path) -> list[str]:
    digests: dict[str, str] = {}
    jobs: list[dict[str, object]] = []
    own: dict[str, BundleFile] = {}
    for number, job in enumerate(bundle.jobs(), 1):
        own |= {file.reference: file for file in job.own_files}
        jobs.append(_write_job(bundle, job, folder, f"jobs/{number:04d}", digests))
    for file in (*bundle.files, *own.values()):
        path = f"files/{file.name}"
        if path in digests:
            path = f"files/{file.sha256[:12]}-{file.name}"
        digests[path] = _write(folder / path, _chunks_of(file))
    derived = {column.name: column.shown for column in bundle.spec.derived}
    manifest = {
        "doe": 1,
        "study": bundle.spec.study,
        "recipe": bundle.recipe,
        "seed": bundle.spec.seed,
        "runs": bundle.design.n if bundle.design else None,
        "jobs": jobs,
        **({"derived": derived} if derived else {}),
        "files": {path: {"sha256": digests[path]} for path in sorted(digests)},
    }
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8", newline="\n")
    return [MANIFEST, *sorted(digests)]


def _write_job(
    bundle: Bundle, job: Job, folder: Path, stem: str, digests: dict[str, str]
) -> dict[str, object]:
    has_csv = job.has_parameters
    if has_csv:
        digests[f"{stem}.csv"] = _write(folder / f"{stem}.csv", job.parameter_chunks())
    mark = Mark(bundle.spec.study, bundle.recipe[:RECIPE_DIGITS], job.rows, job.unit(), 0, _NO_NONCE)
    payload = job.payload(
        bundle,
        name=marked_name(job.title, mark),
        parameters=reference_of(digests[f"{stem}.csv"], f"{bundle.spec.study}.csv") if has_csv else None,
    )
    content = (json.dumps(payload, indent=1, ensure_ascii=False) + "\n").encode()
    digests[f"{stem}.json"] = _write(folder / f"{stem}.json", [content])
    return {
        "payload": f"{stem}.json",
        "parameters": f"{stem}.csv" if has_csv else None,
        "runs": job.runs,
        "rows": str(mark.rows) if mark.rows else f"p-{mark.unit}",
    }


def _chunks_of(file: BundleFile) -> Iterable[bytes]:
    if file.content is not None:
        return [file.content]
    return sent_chunks(Path(file.path or ""))


def _write(path: Path, chunks: Iterable[bytes]) -> str:
    """Write chunks to a file and return their SHA-256; hashing and writing go on beside making the chunks."""
    path.parent.mkdir(exist_ok=True)
    sha256 = hashlib.sha256()
    with path.open("wb", buffering=0) as out, ThreadPoolExecutor(1) as beside:

        def take(chunk: bytes) -> None:
            sha256.update(chunk)
            view = memoryview(chunk)
            while view:
                view = view[out.write(view) :]

        ahead: deque[Future[None]] = deque()
        for chunk in chunks:
            ahead.append(beside.submit(take, chunk))
            if len(ahead) > _CHUNKS_AHEAD:
                ahead.popleft().result()
        for waiting in ahead:
            waiting.result()
    return sha256.hexdigest()
