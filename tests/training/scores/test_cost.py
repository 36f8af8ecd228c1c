"""How often a run is scored, and on how many pictures: never more than the budget allows."""

import pytest

from translate.training.scores.cost import ENOUGH, FEW_LOOKS, MAX_PICTURES, Pilot, choose_looks

PILOTS = [Pilot(0.0, 0.01), Pilot(0.02, 0.01), Pilot(0.1, 0.0005), Pilot(0.5, 0.4)]


@pytest.mark.parametrize("pilot", PILOTS)
@pytest.mark.parametrize("budget", [-1.0, 0.0, 0.5, 2.0, 7.0, 60.0, 1e4])
@pytest.mark.parametrize("available", [16, 50, 500])
def test_scores_keep_to_the_budget(pilot, budget, available):
    looks, pictures = choose_looks(pilot, budget, 20, available)
    assert looks <= 20 and pictures <= min(available, MAX_PICTURES)
    assert (looks == 0) == (pictures == 0)
    if looks:
        assert pictures >= 16 and pictures * (pilot.once + looks * pilot.each) <= budget
    else:
        assert 16 * (pilot.once + pilot.each) > budget


def test_first_there_are_fewer_pictures_then_fewer_looks_then_fewer_pictures_again():
    chosen = [
        choose_looks(Pilot(0.0, 0.01), budget, 20, 500) for budget in (60.0, 20.0, 12.8, 6.4, 3.2, 1.6, 0.8, 0.16)
    ]
    assert chosen == [(20, 256), (20, 100), (20, 64), (10, 64), (5, 64), (5, 32), (5, 16), (1, 16)]
    assert ENOUGH == 64 and FEW_LOOKS == 5
