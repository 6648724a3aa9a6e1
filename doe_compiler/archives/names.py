"""Which files are archives, by their names."""

TAR_ENDS = (
    ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst",
)  # fmt: skip


def is_archive(name: str) -> bool:
    """Whether a file of this name is unpacked for a run."""
    return name.lower().endswith((".zip", *TAR_ENDS))


def is_zip(name: str) -> bool:
    """Whether a file of this name is unpacked as a zip, not as a tar."""
    return name.lower().endswith(".zip")
