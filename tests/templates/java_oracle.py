"""Random numbers and patterns, written by Java's own DecimalFormat and by ours."""

import random
import struct
import subprocess
from pathlib import Path

from doe_compiler.templates.decimal_format import PatternError, compile_pattern

SOURCE = Path(__file__).parent / "Formats.java"
PATTERNS_A_BATCH = 400


def compiled_oracle(folder):
    """The command that runs the oracle."""
    subprocess.run(["javac", "-d", str(folder), str(SOURCE)], check=True, timeout=120)
    return ["java", "-cp", str(folder), "-Xshare:auto", "Formats"]


def a_pattern(source):
    """A pattern of DecimalFormat: digits, grouping, percent and permille, exponents, prefixes, a negative part."""
    least, most_more = source.randint(0, 4), source.randint(0, 5)
    whole = "#" * (most_more if source.random() < 0.4 else source.randint(0, 1)) + "0" * least
    fraction = "0" * source.randint(0, 6) + "#" * source.randint(0, 6)
    if source.random() < 0.05:
        fraction = "0" * source.randint(0, 40)
    has_power = source.random() < 0.3
    if not has_power and source.random() < 0.25:
        whole = "#,##" + ("0" * max(least, 1)).rjust(1, "0")
    if not whole and not fraction:
        whole = "0"
    number = whole + ("." + fraction if fraction or source.random() < 0.05 else "")
    if has_power:
        number = (number if "0" in number or "#" in number else "0") + "E" + "0" * source.randint(1, 3)
    prefix = source.choice(["", "", "", "", "x ", "'#'", "+", "a"])
    suffix = source.choice(["", "", "", "", "%", "\u2030", " m", "'E'"])
    pattern = prefix + number + suffix
    if source.random() < 0.1:
        pattern += source.choice([";(#)", ";-#", ";neg #"])
    return pattern


def a_number(source):
    kind = source.random()
    if kind < 0.25:  # any bits: subnormals, infinities, NaN
        return struct.unpack("<d", source.getrandbits(64).to_bytes(8, "little"))[0]
    if kind < 0.5:
        return source.uniform(-1, 1) * 10.0 ** source.randint(-8, 8)
    if kind < 0.7:  # ties and what looks like them
        return source.randint(-(10**6), 10**6) / source.choice([1, 2, 4, 8, 16, 10, 100, 1000, 10000])
    if kind < 0.85:
        return round(source.uniform(-1000, 1000), source.randint(0, 12))
    if kind < 0.9:
        return float(source.randint(-(2**63), 2**63))
    if kind < 0.95:
        return source.choice([-1, 1]) * source.randint(1, 2**52) * 5e-324
    return source.choice(
        [
            0.0,
            -0.0,
            0.5,
            1.5,
            2.5,
            -0.5,
            5e-324,
            1.7976931348623157e308,
            float("inf"),
            float("-inf"),
            float("nan"),
            1e-3,
            1e7,
            0.1,
            0.3,
            999.95,
            9.5,
            -9.995,
        ]
    )


def differences(oracle, count, seed):
    """The first pairs of a number and a pattern that are written differently, with both texts; and how many were tried.

    A zero has no sign with us; so the oracle gets none either. Patterns that we refuse are no pairs.
    """
    source = random.Random(seed)
    tried = 0
    found = []
    while tried < count and not found:
        formats = []
        while len(formats) < PATTERNS_A_BATCH:
            pattern = a_pattern(source)
            try:
                formats.append(compile_pattern(pattern))
            except PatternError:
                continue
        pairs = [(source.choice(formats), a_number(source)) for _ in range(min(100_000, count - tried))]
        lines = "".join(
            f"{struct.pack('>d', number or 0.0).hex()}\t{form.pattern}\n" for form, number in pairs
        )
        done = subprocess.run(oracle, input=lines.encode(), capture_output=True, check=True, timeout=300)
        expected = done.stdout.decode().split("\n")
        tried += len(pairs)
        for (form, number), text in zip(pairs, expected, strict=False):
            if form.text(number) != text:
                found.append((form.pattern, number, text, form.text(number)))
    return found[:20], tried
