"""The page of the checks, made from the registry."""

from engine.doctor.checks import ALL
from engine.doctor.page import PATH, page


def test_the_page_is_current():
    assert PATH.read_text(encoding="utf-8") == page(ALL)


def test_every_check_is_in_it_with_question_and_remedy():
    lines = page(ALL).splitlines()
    for check in ALL:
        (line,) = [line for line in lines if f"`{check.code}`" in line]
        assert check.question in line
        assert line.count("|") - line.count("\\|") == 5, line
        assert ("`--fix` does it" in line) == (check.mend is not None)
    assert "{tenant}" not in page(ALL)
