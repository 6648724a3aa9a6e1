"""Files that stand for others: what Git LFS leaves where it has not fetched a file."""

_LFS_POINTER = b"version https://git-lfs.github.com/spec/v"
_LARGEST_POINTER = 1024


def is_lfs_pointer(content: bytes) -> bool:
    """Whether a file of this content stands for one that Git LFS has not fetched."""
    return len(content) <= _LARGEST_POINTER and content.startswith(_LFS_POINTER)
