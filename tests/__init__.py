"""Tests: black-box ones drive a daemon process, the others the parts by themselves."""

import pytest


# So that a failed assert in a shared module shows its values, as one in a test does.
pytest.register_assert_rewrite("tests.daemon", "tests.clients", "tests.blackbox", "tests.seeds")
