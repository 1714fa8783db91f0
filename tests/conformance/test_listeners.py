"""Each of the five listeners keeps to RFC 6455, case by case.

The cases are ours. They are numbered by the classes of the Autobahn suite, which itself is run
against these listeners by `make conformance`; see `docs/conformance.md`.
"""

import asyncio
import json

import pytest

from tests.conformance.cases import CLASSES, NON_STRICT
from tests.conformance.page import PAGE, RESULTS, TITLES, order, written
from tests.conformance.talk import Case, NonStrict, Talk
from tests.conformance.voices import VOICES
from tests.daemon import Daemon


AT_A_TIME = 4


async def grade(daemon: Daemon, door: str, case: Case) -> str:
    """Run a case on a connection of its own."""
    try:
        async with VOICES[door](daemon) as voice:
            await case.run(Talk(voice))
    except NonStrict:
        return "non-strict"
    except AssertionError as error:
        return f"failed: {error}"
    except TimeoutError:
        return "failed: what was expected did not come"
    return "ok"


@pytest.mark.parametrize("door", list(VOICES))
@pytest.mark.parametrize("name", list(CLASSES))
async def test_listener_keeps_to_the_rfc(room: Daemon, door: str, name: str) -> None:
    """No case fails, and those that are only non-strict are known."""
    slots = asyncio.Semaphore(AT_A_TIME)

    async def graded(case: Case) -> tuple[str, str]:
        async with slots:
            return f"{case.id} {case.what}", await grade(room, door, case)

    found = dict(await asyncio.gather(*map(graded, CLASSES[name])))
    allowed = {
        f"{case.id} {case.what}": "non-strict" if case.id in NON_STRICT else "ok"
        for case in CLASSES[name]
    }
    assert found == allowed


def test_cases_have_numbers_of_their_own() -> None:
    """A case is found by its number."""
    numbers = [case.id for cases in CLASSES.values() for case in cases]
    assert len(numbers) == len(set(numbers)) > 180


def test_suite_found_no_failure_on_any_listener() -> None:
    """The results of the Autobahn suite's last run: all cases, and the same gaps as ours."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert list(results["listeners"]) == ["hubbub", "x0x", "crosslink", "car", "openclaw"]
    for cases in results["listeners"].values():
        assert "failed" not in cases
        assert set(cases["non-strict"]) == NON_STRICT
        assert {order(case)[0] for case in cases["unimplemented"]} == {12, 13}
        assert {order(case)[0] for numbers in cases.values() for case in numbers} == set(TITLES)


def test_page_is_in_step_with_the_results() -> None:
    """docs/conformance.md shows these results and these cases."""
    assert PAGE.read_text(encoding="utf-8") == written()
