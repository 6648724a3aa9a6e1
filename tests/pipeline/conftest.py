"""A platform in this process, jobs made by payloads as the API has them, and the way back through a study."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from doe_compiler.apply.upload import Uploads
from doe_compiler.bundle.mark import Mark, marked_name
from doe_compiler.bundle.pack import for_reading_platform, parameter_file
from doe_compiler.bundle.payload import with_ids
from doe_compiler.client.client import Client
from doe_compiler.pipeline.compiling import compiled
from doe_compiler.pipeline.importing import imported_study
from doe_compiler.platform.api.service import open_platform

from .payloads import equivalent_form


@dataclass
class Workshop:
    """Makes jobs, imports them, and makes the imported studies' jobs."""

    client: Client
    folder: Path

    def file(self, name, content, type_id=1):
        content = content.encode() if isinstance(content, str) else content
        return {"id": self.client.upload(content, name, type_id).id}

    def analysis(self, command="./run.sh", **more):
        return {
            "analysis": {"code": "user_included", "version": "0"},
            "command": command,
            "hardware": {"coreType": "emerald", "coresPerSlot": 1},
            **more,
        }

    def job(self, *analyses, name="Untitled Job", **more):
        payload = {"name": name, "jobanalyses": list(analyses) or [self.analysis()], **more}
        return self.client.create_job(payload).id

    def imported(self, job_id, folder="imported"):
        return imported_study(self.client, job_id, self.folder / folder)

    def made(self, study, *, plain=True):
        """The jobs of a study's compiled payloads, created as drafts."""
        bundle, _ = compiled(study)
        bundle = for_reading_platform(bundle) if plain else bundle
        ids = Uploads(self.client, lambda: None).ids(bundle.files)
        return [self._made(bundle, job, ids) for job in bundle.jobs()]

    def _made(self, bundle, job, ids):
        table = parameter_file(job)
        own = (*job.own_files, *([table] if table else []))
        ids = ids | Uploads(self.client, lambda: None).ids(own)
        mark = Mark(bundle.spec.study, bundle.recipe[:12], job.rows, job.unit(), 0, "0" * 16)
        payload = job.payload(
            bundle, name=marked_name(job.title, mark), parameters=table.reference if table else None
        )
        return self.client.create_job(with_ids(payload, ids)).id

    def form(self, job_id):
        return equivalent_form(self.client, job_id)

    def there_and_back(self, job_id, *, plain=True):
        """Import a job, compile the study, and check that its job is equivalent; what was written."""
        written = self.imported(job_id)
        (again,) = self.made(written.study, plain=plain)
        assert self.form(again) == self.form(job_id)
        return written


@pytest.fixture
def workshop(tmp_path):
    platform = open_platform(tmp_path / "data")
    client = Client.embedded(platform.answer)
    yield Workshop(client, tmp_path)
    client.close()
    platform.close()


def md5(content):
    return hashlib.md5(content).hexdigest()
