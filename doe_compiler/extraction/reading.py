"""All responses of one output file in one pass over its bytes, with bounded memory.

A regular expression sees the text in windows: a match may span line ends, up to `LONGEST_MATCH` characters.
"""

import json
import re
from itertools import islice
from typing import NamedTuple

from doe_compiler.extraction.decoding import Decoder
from doe_compiler.extraction.json_path import json_path_steps, json_value
from doe_compiler.extraction.table import Table
from doe_compiler.extraction.values import NoValue, Taker, plain
from doe_compiler.extraction.watch import OutOfTime, Watch

LONGEST_MATCH = 1 << 16
LARGEST_JSON = 1 << 25
_WINDOW = 1 << 20
_CONTEXT = 1 << 10
_BLOCK = 1 << 18
_MATCHES_AT_ONCE = 256
_LONGEST_LINE = 1 << 20


class Outcome(NamedTuple):
    """What reading a response gave: the value with what is to be told of it, or None and why there is none."""

    value: "str | None"
    told: str


class _Matches:
    """The values of a regular expression, window by window."""

    def __init__(self, extractor: "dict[str, str]") -> None:
        self._pattern = re.compile(extractor["regex"], re.MULTILINE)
        self._taker = Taker(extractor["take"])
        self._is_last = extractor["take"] == "last"
        self._start = 0

    @property
    def is_settled(self) -> bool:
        return self._taker.is_settled

    def scan(self, text: str, end: int, is_last: bool) -> None:
        """Find what begins before `end`; the text goes on beyond it unless it is the last."""
        matches = self._pattern.finditer(text, self._start)
        while True:
            found = list(islice(matches, _MATCHES_AT_ONCE))
            is_over = len(found) < _MATCHES_AT_ONCE
            if not is_last and found and found[-1].start() >= end:
                found = [match for match in found if match.start() < end]
                is_over = True
            if not found:
                break
            # One that is too long makes its batch too long.
            if not is_last and found[-1].end() - found[0].start() > LONGEST_MATCH:
                self._check(found)
            self._start = found[-1].end()
            self._take(found)
            if is_over or self.is_settled:
                break
        self._start = max(self._start, end)

    def _check(self, found: "list[re.Match[str]]") -> None:
        if any(match.end() - match.start() > LONGEST_MATCH for match in found):
            raise NoValue(f"the regex matches more than {LONGEST_MATCH} characters at once")

    def _take(self, found: "list[re.Match[str]]") -> None:
        # `(.*)` matches nothing at the end of every line too.
        if self._is_last:
            for match in reversed(found):
                value = match.group(1)
                if value is not None and match.end() > match.start():
                    self._taker.add([value])
                    return
        else:
            values = [match.group(1) for match in found if match.end() > match.start()]
            self._taker.add([value for value in values if value is not None])

    def forget(self, count: int) -> None:
        """The window goes on by so many characters."""
        self._start -= count

    def outcome(self) -> Outcome:
        return Outcome(*self._taker.taken())


class FileReading:
    """Reads the responses of one file: `feed` its bytes in any pieces, then take the outcomes.

    An extractor is plain data: `kind` (regex, json, csv) and that kind's settings as the study names them.
    Whatever goes wrong with a response is its own outcome.
    """

    def __init__(self, extractors: "list[dict[str, str]]", watch: Watch) -> None:
        self._extractors = extractors
        self._watch = watch
        self._outcomes = [None] * len(extractors)  # type: list[Outcome | None]
        self._matches = {}  # type: dict[int, _Matches]
        self._tables = [index for index, each in enumerate(extractors) if each["kind"] == "csv"]
        self._takers = [Taker(extractors[index]["take"]) for index in self._tables]
        self._table = Table([extractors[index]["column"] for index in self._tables], self._takers)
        self._trees = [index for index, each in enumerate(extractors) if each["kind"] == "json"]
        self._decoder = Decoder()
        self._bytes = bytearray()
        self._json = bytearray()
        self._text = ""
        self._line = ""
        self._size = 0
        for index, each in enumerate(extractors):
            if each["kind"] == "regex":
                self._guard([index], lambda i=index, e=each: self._matches.update({i: _Matches(e)}))

    @property
    def is_settled(self) -> bool:
        """Whether nothing that comes later in the file can change an outcome."""
        if not self._open(range(len(self._extractors))):
            return True
        if self._trees:
            return False
        return all(m.is_settled for m in self._matches.values()) and all(t.is_settled for t in self._takers)

    def feed(self, piece: bytes) -> None:
        """The next bytes of the file."""
        self._size += len(piece)
        if self._open(self._trees):
            self._json += piece
            if self._size > LARGEST_JSON:
                self._fail(self._trees, f"the JSON is larger than {LARGEST_JSON >> 20} MiB")
                self._json = bytearray()
        if not self._open(self._matches) and not self._open(self._tables):
            return
        self._bytes += piece
        while len(self._bytes) >= _BLOCK:
            block = bytes(self._bytes[:_BLOCK])
            del self._bytes[:_BLOCK]
            self._block(block, False)

    def finish(self) -> "list[Outcome]":
        """The outcomes in the order of the extractors, after the last byte."""
        self._block(bytes(self._bytes), True)
        self._bytes = bytearray()
        if self._open(self._trees):
            self._guard(self._trees, self._read_trees)
        if self._open(self._tables):
            self._guard(self._tables, self._read_columns)
        for index, matches in self._matches.items():
            if self._outcomes[index] is None:
                self._guard([index], lambda i=index, m=matches: self._settle(i, m.outcome()))
        return [outcome or Outcome(None, "it was not read") for outcome in self._outcomes]

    def fail(self, reason: str) -> "list[Outcome]":
        """The outcomes where the file cannot be read on."""
        self._fail(list(range(len(self._extractors))), reason)
        return [outcome or Outcome(None, reason) for outcome in self._outcomes]

    def _open(self, indices: "object") -> bool:
        return any(self._outcomes[index] is None for index in indices)  # type: ignore[attr-defined]

    def _settle(self, index: int, outcome: Outcome) -> None:
        self._outcomes[index] = outcome

    def _fail(self, indices: "list[int]", reason: str) -> None:
        for index in indices:
            if self._outcomes[index] is None:
                self._outcomes[index] = Outcome(None, reason)

    def _guard(self, indices: "list[int]", work: "object") -> None:
        """Do the work under the watch; what goes wrong is the outcome of these responses."""
        is_regex = self._extractors[indices[0]]["kind"] == "regex" and len(indices) == 1
        try:
            self._watch.step(work, None if is_regex else self._watch.seconds)  # type: ignore[arg-type]
        except OutOfTime as error:
            self._fail(indices, _overdue(self._extractors[indices[0]], str(error)))
        except RecursionError:
            self._fail(indices, "it is nested too deeply")
        except MemoryError:
            self._fail(indices, "it needs more memory than there is")
        except Exception as error:
            self._fail(indices, str(error) or type(error).__name__)

    def _block(self, block: bytes, is_last: bool) -> None:
        texts = []  # type: list[str]
        needing = [*self._matches, *self._tables]
        if not self._open(needing):
            return
        self._guard(needing, lambda: texts.append(self._decoder.text(block, is_last)))
        if not texts:
            return
        if self._open(self._tables):
            self._guard(self._tables, lambda: self._rows(texts[0], is_last))
        if self._open(self._matches):
            self._window(texts[0], is_last)

    def _window(self, text: str, is_last: bool) -> None:
        self._text += text
        if not is_last and len(self._text) < _WINDOW + LONGEST_MATCH:
            return
        end = len(self._text) if is_last else len(self._text) - LONGEST_MATCH
        for index, matches in self._matches.items():
            if self._outcomes[index] is None and not matches.is_settled:
                self._guard([index], lambda m=matches: m.scan(self._text, end, is_last))
        gone = max(0, end - _CONTEXT)
        self._text = self._text[gone:]
        for matches in self._matches.values():
            matches.forget(gone)

    def _rows(self, text: str, is_last: bool) -> None:
        text = self._line + text
        cut = len(text) if is_last else text.rfind("\n") + 1
        self._line = text[cut:]
        if len(self._line) > _LONGEST_LINE:
            raise NoValue(f"a line is longer than {_LONGEST_LINE >> 20} MiB")
        self._table.add(text[:cut])

    def _read_columns(self) -> None:
        for index, taker, reason in zip(self._tables, self._takers, self._table.finish()):
            try:
                if reason is not None:
                    raise reason
                self._settle(index, Outcome(*taker.taken()))
            except NoValue as error:
                self._fail([index], str(error))

    def _read_trees(self) -> None:
        text = Decoder().text(bytes(self._json), True)
        self._json = bytearray()
        if not text.strip():
            raise NoValue("the file is empty")
        try:
            document = json.loads(text)
        except ValueError as error:
            raise NoValue(f"the JSON cannot be read: {error}") from None
        for index in self._trees:
            try:
                found = json_value(document, json_path_steps(self._extractors[index]["path"]))
                self._settle(index, Outcome(plain(found), ""))
            except ValueError as error:
                self._fail([index], str(error))


def _overdue(extractor: "dict[str, str]", reason: str) -> str:
    if extractor["kind"] == "regex":
        return f"the regex '{extractor['regex'][:80]}' was stopped: {reason}"
    return f"the reading was stopped: {reason}"
