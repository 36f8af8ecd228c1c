import numpy as np
import pytest

from translate.data.files.worklist import Shard, Worklist, as_suffix
from translate.images.io import write_picture
from translate.images.picture import Picture
from translate.utils.errors import OptionError, UserError
from translate.utils.trust import TRUST


@pytest.fixture
def source(tmp_path):
    for name in ("x.png", "x_1.png", "sub/x.jpg"):
        write_picture(tmp_path / "in" / name, Picture(np.zeros((2, 2, 3), np.uint8)))
    return tmp_path / "in"


def test_one_result_keeps_the_name_and_several_are_numbered(source, tmp_path):
    for answers, names in ((1, ["x.jpg"]), (3, ["x_1.jpg", "x_2.jpg", "x_3.jpg"])):
        jobs = list(Worklist(str(source), tmp_path / "out", answers=answers))
        assert jobs[0].targets == tuple(tmp_path / "out" / "sub" / name for name in names)
        assert jobs[0].target == tmp_path / "out/sub/x.jpg" and jobs[0].layer is None
        targets = [target for job in jobs for target in job.targets]
        assert len(set(targets)) == len(targets) == 3 * answers


def test_no_result_may_overwrite_an_input(tmp_path):
    for name in ("in/x_2.png", "in/in/x.png"):
        write_picture(tmp_path / name, Picture(np.zeros((2, 2, 3), np.uint8)))
    Worklist(str(tmp_path / "in"), tmp_path, answers=1).survey()
    with pytest.raises(OptionError, match=r"in/in/x\.png: its translation would overwrite the input .*in/x_2\.png"):
        Worklist(str(tmp_path / "in"), tmp_path, answers=2).survey()


def test_numbered_files_of_another_count_are_leftovers(source, tmp_path):
    def leftovers(answers):
        work = Worklist(str(source), tmp_path / "out", answers=answers)
        return sorted(path.relative_to(tmp_path / "out").as_posix() for job in work for path in work.leftovers(job))

    written(tmp_path / "out", "x.png", "x_1.png", "x_2.png", "x_3.png", "sub/x_1.jpg", "sub/x_1.png", "sub/y_1.jpg")
    assert leftovers(1) == ["sub/x_1.jpg"]  # x_1.png is a picture itself, and x_2.png may be an answer to none
    (source / "x_1.png").unlink()
    assert leftovers(1) == ["sub/x_1.jpg", "x_1.png", "x_2.png", "x_3.png"]
    assert leftovers(2) == ["x.png", "x_3.png"]
    assert leftovers(3) == ["x.png"]


def written(folder, *names):
    for name in names:
        write_picture(folder / name, Picture(np.zeros((2, 2, 3), np.uint8)))
    return folder


def layers(source, output, **given):
    """Return the names of the pictures, and of what was given to each."""
    jobs = Worklist(str(source), output, **given)
    return {job.path.relative_to(source).as_posix(): job.layer and job.layer.name for job in jobs}


def test_masks_are_found_by_the_names_of_the_pictures(source, tmp_path):
    masks = written(tmp_path / "masks", "x.bmp", "sub/x_mask.png", "mask_x_1.png", "y.png")
    expected = {"sub/x.jpg": "x_mask.png", "x.png": "x.bmp", "x_1.png": "mask_x_1.png"}
    assert layers(source, tmp_path / "out", masks=masks) == expected
    assert layers(source, tmp_path / "out", masks=f"{masks}/**/*.png") == expected | {"x.png": None}
    strays = Worklist(str(source), tmp_path / "out", masks=masks).strays()
    assert strays.count == 1 and strays.first == [masks / "y.png"]
    assert set(layers(source, tmp_path / "out", masks=masks / "y.png").values()) == {"y.png"}  # one for all


def test_hints_are_found_by_exact_names_alone(source, tmp_path):
    hints = written(tmp_path / "hints", "x.bmp", "x_1_mask.png")
    assert layers(source, tmp_path / "out", hints=hints) == {"sub/x.jpg": None, "x.png": "x.bmp", "x_1.png": None}
    assert set(layers(source, tmp_path / "out", hints=hints / "x.bmp").values()) == {"x.bmp"}


def test_masks_inside_the_source_are_not_translated(source, tmp_path):
    written(source, "masks/x.png", "sub/x_mask.png", "one.png")
    found = layers(source, tmp_path / "out", masks=source / "masks")
    assert found["x.png"] == "x.png" and "masks/x.png" not in found
    assert layers(source / "sub", tmp_path / "out", masks=f"{source}/sub/*_mask.png") == {"x.jpg": "x_mask.png"}
    assert "one.png" not in layers(source, tmp_path / "out", masks=source / "one.png")
    with pytest.raises(OptionError, match="is the folder of the input itself; keep the masks in one of their own"):
        Worklist(str(source), tmp_path / "out", masks=source).survey()


def test_masks_without_pictures_are_refused(source, tmp_path):
    masks = written(tmp_path / "masks", "z.png")
    message = r"masks: none of its masks is called like a picture; that of .*sub/x\.jpg is .*masks/sub/x\.png"
    with pytest.raises(UserError, match=message):
        Worklist(str(source), tmp_path / "out", masks=masks).survey()
    with pytest.raises(UserError, match=r"x\.png: has the name of .*x\.bmp; keep one mask for a picture"):
        Worklist(str(source), tmp_path / "out", masks=written(masks, "x.bmp", "x.png")).survey()
    with pytest.raises(UserError, match="no file or folder"):
        Worklist(str(source), tmp_path / "out", masks=tmp_path / "nowhere").survey()


def test_stray_masks_are_counted_for_every_kind_of_source(source, tmp_path):
    masks = written(tmp_path / "masks", "x.png", "sub/x_mask.png", "y.png", "sub/mask_z.png", "far/x.png")
    strays = Worklist(str(source), tmp_path / "out", masks=masks).strays()
    assert strays.count == 3 and [path.name for path in strays.first] == ["x.png", "mask_z.png", "y.png"]
    assert Worklist(str(source / "x.png"), tmp_path / "out", masks=masks).strays().count == 4
    assert Worklist(f"{source}/*/*.jpg", tmp_path / "out", masks=masks).strays().count == 4
    written(source, "y_mask.png", "x_mask.png")  # among the pictures, told apart by a pattern
    work = Worklist(str(source), tmp_path / "out", masks=f"{source}/*_mask.png")
    assert {job.path.name: job.layer and job.layer.name for job in work} == {
        "x.jpg": None, "x.png": "x_mask.png", "x_1.png": None,
    }  # fmt: skip
    assert [path.name for path in work.strays().first] == ["y_mask.png"]


# ---- formats, shards, one file


def test_all_results_get_the_requested_format(source, tmp_path):
    jobs = list(Worklist(str(source), tmp_path / "out", suffix=".webp", answers=2))
    assert jobs[0].targets == (tmp_path / "out/sub/x_1.webp", tmp_path / "out/sub/x_2.webp")
    for form, suffix in (("png", ".png"), (".TIF", ".tif"), ("", "")):
        assert as_suffix(form) == suffix
    with pytest.raises(OptionError, match="format 'pngg' is unknown; did you mean 'png'"):
        as_suffix("pngg")


def test_two_pictures_with_the_same_result_are_refused(source, tmp_path):
    written(source, "sub/x.bmp")
    Worklist(str(source), tmp_path / "out").survey()
    message = r"sub/x\.bmp and .*sub/x\.jpg would both become .*out/sub/x\.png; rename one, or leave out --format"
    with pytest.raises(UserError, match=message):
        Worklist(str(source), tmp_path / "out", suffix=".png").survey()
    Worklist(f"{source}/**/*.[jp]*", tmp_path / "out", suffix=".png").survey()  # the .bmp is not meant
    (tmp_path / "list.txt").write_text("in/x.png\nin/sub/x.jpg\nin/x.png\nin/sub/../x.png\n")
    work = Worklist(str(tmp_path / "list.txt"), tmp_path / "out", suffix=".png")
    assert work.survey().pictures == len(list(work)) == 2


def test_a_format_must_not_overwrite_an_input(tmp_path):
    written(tmp_path, "in/x.tif", "in/in/x.jpg")
    Worklist(str(tmp_path / "in"), tmp_path).survey()
    with pytest.raises(OptionError, match=r"in/in/x\.jpg: its translation would overwrite the input .*in/x\.tif"):
        Worklist(str(tmp_path / "in"), tmp_path, suffix=".tif").survey()


def test_shards_partition_the_pictures_by_name(tmp_path):
    for root in ("one", "two"):
        for i in range(200):
            (tmp_path / root / f"{i % 7}").mkdir(parents=True, exist_ok=True)
            (tmp_path / root / f"{i % 7}/{i}.png").touch()

    def names(root, shard):
        work = Worklist(str(tmp_path / root), tmp_path / "out", shard=Shard.parse(shard))
        found = [job.path.relative_to(tmp_path / root).as_posix() for job in work]
        assert work.survey().pictures == len(found)
        return found

    parts = [names("one", f"{i}/3") for i in (1, 2, 3)]
    assert sorted(name for part in parts for name in part) == sorted(names("one", "1/1"))
    assert all(40 < len(part) < 90 for part in parts)
    for name in parts[0][::2]:
        (tmp_path / "two" / name).unlink()
    assert [names("two", f"{i}/3") for i in (1, 2, 3)] == [parts[0][1::2], parts[1], parts[2]]
    assert [Shard(i, 3).has("a/b.png") for i in (1, 2, 3)] == [True, False, False]  # whatever the machine


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "1/0", "a/b", "1/2/3", "-1/3", "1.0/2", "²/3"])
def test_invalid_shards_are_refused(text):
    with pytest.raises(OptionError, match=f"shard '{text}' is no part of a whole; give I/N, such as 2/5"):
        Shard.parse(text)


def test_one_picture_to_one_file(source, tmp_path):
    def single(output, **options):
        return Worklist(str(source / "x.png"), tmp_path / output, **options)

    assert [job.target for job in single("made/y.JPG")] == [tmp_path / "made/y.JPG"]
    assert next(iter(single("y.jpg", answers=2))).targets == (tmp_path / "y_1.jpg", tmp_path / "y_2.jpg")
    assert single("y.jpg", suffix=".jpg").folder == tmp_path and single("y.jpg").failures is None
    assert next(iter(single("folder"))).target == tmp_path / "folder/x.png"
    (tmp_path / "there.png").mkdir()
    assert next(iter(single("there.png"))).target == tmp_path / "there.png/x.png"
    assert not Worklist(str(source), tmp_path / "y.png").single
    for output, options, message in [
        ("y.jpg", {"suffix": ".png"}, r"y\.jpg: has a format of its own; leave out --format png"),
        ("y.jpg", {"shard": Shard(1, 2)}, "one picture has no shards; leave out --shard"),
        ("in/x.png", {}, "would overwrite the input itself; choose another output file"),
        ("in/../in/x.png", {}, "would overwrite the input itself"),
    ]:
        with pytest.raises(OptionError, match=message):
            single(output, **options)
    with pytest.raises(OptionError, match="would overwrite the input itself"):
        Worklist(str(source / "x_1.png"), source / "x.png", answers=2)
    assert single("in/y.png").survey().pictures == 1


def test_links_out_of_the_folder_are_skipped_and_reported(source, tmp_path, monkeypatch):
    far = written(tmp_path / "far", "secret.png")
    (source / "secret.png").symlink_to(far / "secret.png")
    (source / "same.png").symlink_to(source / "x.png")
    work = Worklist(str(source), tmp_path / "out")
    assert work.survey().notes == [f"{source}: 1 link leads out of the folder; say --follow-links to follow them"]
    assert {job.path.name for job in work} == {"x.png", "x_1.png", "x.jpg", "same.png"}
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "secret.png").symlink_to(far / "secret.png")
    with pytest.raises(UserError, match="links: 1 link leads out"):
        Worklist(str(tmp_path / "links"), tmp_path / "out").survey()
    monkeypatch.setattr(TRUST, "follow_links", True)
    assert Worklist(str(source), tmp_path / "out").survey().pictures == 5
