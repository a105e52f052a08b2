from __future__ import annotations

from pathlib import Path

from lorarecipe.recipe import load, settings_of


def test_settings_beside_their_preset(folder: Path) -> None:
    path = folder / "recipe.toml"
    text = path.read_text("utf-8").replace('name = "aoi"', 'name = "aoi"\npreset = "emanon-2023"')
    text = text.replace("rank = 2\nalpha = 2\nunet_lr = 1e-3\nepochs = 1\n", "alpha = 2\nepochs = 10\n")
    path.write_text(text, encoding="utf-8")
    settings = {(one.table, one.name): one for one in settings_of(load(path))}
    rank, alpha = settings["target.training", "rank"], settings["target.training", "alpha"]
    assert (rank.value, rank.start, rank.source, rank.differs) == ("32", "32", "preset emanon-2023", False)
    assert (alpha.value, alpha.start, alpha.source, alpha.differs) == ("2", "16", "preset emanon-2023", True)
    optimizer = settings["target.training", "optimizer"]
    assert (optimizer.value, optimizer.source, optimizer.differs) == ('"AdamW"', "default", False)
    buckets = settings["base.training", "buckets"]
    assert buckets.value == "{ min = 64, max = 256, step = 64, no_upscale = false }"
    assert buckets.differs
    family = settings["checkpoint", "family"]
    assert (family.start, family.differs) == (None, False)
    assert settings["base.gate", "mode"].value == '"off"'
    assert settings["base.gate", "mode"].differs


def test_a_third_phase_beside_the_target(folder: Path) -> None:
    path = folder / "recipe.toml"
    text = path.read_text("utf-8") + '\n[refine]\nprompts = ["1girl"]\n\n[refine.training]\nepochs = 3\n'
    path.write_text(text, encoding="utf-8")
    settings = {one.name: one for one in settings_of(load(path)) if one.table == "refine.training"}
    assert [name for name, one in settings.items() if one.differs] == ["epochs"]
    assert {one.source for one in settings.values()} == {"target.training"}


def test_a_recipe_without_a_base_has_no_settings_of_one(folder: Path) -> None:
    path = folder / "recipe.toml"
    head, rest = path.read_text("utf-8").split("[[base.characters]]", 1)
    text = head.replace('name = "aoi"', 'name = "aoi"\nmethod = "plain"') + rest[rest.index("[target]") :]
    path.write_text(text, encoding="utf-8")
    tables = list(dict.fromkeys(one.table for one in settings_of(load(path))))
    assert tables == ["checkpoint", "target", "target.training", "trainer", "control", "deliver"]
