from __future__ import annotations

import pytest

from foundation.errors import NotFound
from models_zoo.specs import SPECS, HubSource, WheelSource, spec


def test_every_spec_is_complete() -> None:
    for name, one in SPECS.items():
        assert one.name == name
        assert len(bytes.fromhex(one.sha256)) == 32
        assert one.size > 0
        assert one.licence and one.citation and one.sources
        assert (one.output_dimension > 0) == (one.kind == "embedder")


def test_every_source_names_the_specs_file() -> None:
    for one in SPECS.values():
        for source in one.sources:
            path = source.path if isinstance(source, HubSource) else source.member
            assert path.rpartition("/")[2] == one.file_name
            if isinstance(source, WheelSource):
                assert "==" in source.requirement
            else:
                assert source.url.startswith("https://")


def test_an_unknown_model_is_refused_with_the_names_that_exist() -> None:
    with pytest.raises(NotFound, match="sface, yunet") as caught:
        spec("resnet")
    assert caught.value.code == "unknown_model"
