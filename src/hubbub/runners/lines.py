"""What a command prints, as steps of a turn: plain text, or JSON lines. Pure.

A line that is a JSON object with these fields, and no other, is a step; anything else is
text of the answer, given on as it comes::

    {"text": "…"}      text to append, without a line break
    {"tool": {…}}      a tool's work: phase (start, update, result), toolCallId, name, args, result
    {"usage": {…}}     figures: input, output, cacheRead, cacheWrite, totalTokens
    {"model": "…", "provider": "…"}
    {"error": "…"}     the turn has failed, and why
"""

import codecs

import msgspec

from hubbub.core.ports import RunnerOutput
from hubbub.errors import RunnerFailed


MAX_LINE_BYTES = 1024 * 1024
"""Bytes of one JSON line at most."""


class _Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    text: str = ""
    tool: dict[str, msgspec.Raw] | None = None
    usage: dict[str, int] | None = None
    model: str | None = None
    provider: str | None = None
    error: str | None = None


class Lines:
    """Takes bytes as they come and gives steps."""

    def __init__(self) -> None:
        """Begin at the start of a line."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        """The begin of a line that may be JSON."""
        self._in_text = False
        """The line that we are in is text, and what came of it has been given on."""

    def feed(self, data: bytes) -> list[RunnerOutput]:
        """Take what was printed.

        Raises:
            RunnerFailed: The command says so, or a line that looks like JSON does not end.
        """
        return self._steps(self._decoder.decode(data))

    def end(self) -> list[RunnerOutput]:
        """Take the end of the output: the last line may have no line break."""
        steps = self._steps(self._decoder.decode(b"", final=True))
        held, self._held = self._held, ""
        return [*steps, *self._line(held)] if held else steps

    def _steps(self, text: str) -> list[RunnerOutput]:
        steps: list[RunnerOutput] = []
        *lines, rest = text.split("\n")
        for line in lines:
            if self._in_text:
                steps.append(RunnerOutput(text=line + "\n"))
            else:
                steps.extend(self._line(self._held + line, end="\n"))
            self._held, self._in_text = "", False
        if rest:
            steps.extend(self._begin(rest))
        return steps

    def _begin(self, text: str) -> list[RunnerOutput]:
        """Take the begin of a line, or more of it."""
        held = self._held + text
        if not self._in_text and held.lstrip()[:1] in ("{", ""):
            if len(held) > MAX_LINE_BYTES:
                message = f"the command wrote a JSON line of over {MAX_LINE_BYTES} bytes"
                raise RunnerFailed(message)
            self._held = held
            return []
        self._held, self._in_text = "", True
        return [RunnerOutput(text=held)]

    def _line(self, line: str, end: str = "") -> list[RunnerOutput]:
        """Give the step that a whole line is."""
        try:
            step = msgspec.json.decode(line, type=_Step) if "{" in line[:1] else None
        except msgspec.DecodeError:
            step = None
        if step is None or step == _Step():
            return [RunnerOutput(text=line + end)]
        if step.error is not None:
            raise RunnerFailed(step.error or "the command failed without a reason")
        return [
            RunnerOutput(
                text=step.text,
                tool=None if step.tool is None else msgspec.Raw(msgspec.json.encode(step.tool)),
                usage=step.usage,
                model=step.model,
                provider=step.provider,
            )
        ]
