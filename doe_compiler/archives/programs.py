"""Which files can only be meant to be run, by their first bytes: an upload carries no execute bit."""

_FAT_MACH_O = 0xCAFEBABE
_MOST_ARCHITECTURES = 40
HEAD = 8


def is_program(head: bytes) -> bool:
    """Whether a file that begins with these 8 bytes is a script, ELF or Mach-O.

    A Mach-O of several architectures begins as a Java class does, whose version is 45 and more where the other
    has their count.
    """
    if head.startswith((b"#!", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa")):
        return True
    magic, count = int.from_bytes(head[:4]), int.from_bytes(head[4:8])
    return magic == _FAT_MACH_O and 0 < count < _MOST_ARCHITECTURES
