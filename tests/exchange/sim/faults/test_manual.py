"""The manual's table of faults is the list of kinds, field by field."""

import re
from pathlib import Path

import pytest
import yaml

from exchange.sim.faults.kinds import KINDS, REQUIRED
from exchange.sim.faults.reading import Known, plan_of

DOCS = Path(__file__).parents[4] / "docs"
PAGES = {"en": "venue.md", "zh": "venue.zh.md"}
HEADS = {"en": "\n## Faults\n", "zh": "\n## 故障 {#faults}\n"}
ROW = re.compile(r"^\| `(\w+)` \| ([\w, ]+) \| (.*?) \| (.+) \|$", re.M)


def manual(language: str) -> str:
    return (DOCS / PAGES[language]).read_text(encoding="utf-8")


@pytest.mark.parametrize("language", PAGES)
def test_every_kind_is_in_the_table_with_its_places_and_fields(language: str) -> None:
    section = manual(language).partition(HEADS[language])[2].partition("\n## ")[0]
    rows = {name: (places, fields, says) for name, places, fields, says in ROW.findall(section)}
    assert list(rows) == list(KINDS)
    for name, kind in KINDS.items():
        places, fields, says = rows[name]
        assert places == ", ".join(place.value for place in kind.places), name
        assert re.findall(r"`(\w+)`", fields) == list(kind.fields), name
        required = re.findall(r"`(\w+)`(?! \()", fields)
        assert required == [each for each, spec in kind.fields.items() if spec.default is REQUIRED], name
        assert says == kind.says if language == "en" else re.search("[\u4e00-\u9fff]", says), name


@pytest.mark.parametrize("language", PAGES)
def test_the_example_can_be_read(language: str) -> None:
    example = re.search(r"```yaml\n(seed: 7.*?)```", manual(language), re.S)
    assert example is not None
    known = Known(1_767_571_200_000, ["demo"], ["BTC-USDT", "BTC-USDT-SWAP"])
    assert len(plan_of(yaml.safe_load(example[1]), known).rules) == 4
