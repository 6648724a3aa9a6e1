"""Small archives in memory: contents by name, the same bytes every time."""

from collections.abc import Mapping
from io import BytesIO
from tarfile import BLOCKSIZE, USTAR_FORMAT, TarError, TarFile, TarInfo


def packed(files: Mapping[str, bytes]) -> bytes:
    """An uncompressed tar of some files, in the order of their names."""
    parts: list[bytes] = []
    for name, content in sorted(files.items()):
        entry = TarInfo(name)
        entry.size, entry.mode = len(content), 0o644
        parts += [entry.tobuf(USTAR_FORMAT), content, bytes(-len(content) % BLOCKSIZE)]
    return b"".join([*parts, bytes(2 * BLOCKSIZE)])


def unpacked(archive: bytes) -> dict[str, bytes]:
    """The files of a tar by name; none for what is no tar."""
    found = {}
    try:
        with TarFile(fileobj=BytesIO(archive)) as members:
            for member in members:
                content = members.extractfile(member)
                if content is not None:
                    found[member.name] = content.read()
    except TarError:
        return {}
    return found
