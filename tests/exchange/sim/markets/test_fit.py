"""A generated figure fits when it lies where most windows of the record lie that nothing was fitted to."""

import pytest

from exchange.sim.markets.fit import fit_of, fit_within

EVEN, ODD = [5.0] * 11, [float(n) for n in range(11)]
WINDOWS = [one for pair in zip(EVEN, ODD, strict=True) for one in pair]


@pytest.mark.parametrize(
    ("generated", "fits"), [(0.9, False), (1.0, True), (5.0, True), (9.0, True), (9.1, False)]
)
def test_what_nine_windows_in_ten_show_is_fitting(generated: float, fits: bool) -> None:
    found = fit_of("x", WINDOWS, [generated] * 3)
    assert (found.least, found.most, found.fits) == (1.0, 9.0, fits)


def test_only_the_windows_nothing_was_fitted_to_are_the_measure() -> None:
    found = fit_of("x", WINDOWS, [5.0])
    assert (found.fitted, found.recorded) == (5.0, 5.0) and found.error == 0
    assert fit_of("x", [100.0 if n % 2 == 0 else one for n, one in enumerate(WINDOWS)], [5.0]).most == 9.0


def test_one_wild_seed_does_not_make_a_misfit_but_is_told() -> None:
    found = fit_of("x", WINDOWS, [4.0, 5.0, 6.0, 1_000.0])
    assert found.fits and found.generated == 5.5 and found.inside == 0.75


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_too_few_windows_are_not_judged(count: int) -> None:
    found = fit_of("x", [3.0] * count, [3.0])
    assert not found.judged and not found.fits and found.recorded == 3.0


def test_a_figure_recorded_as_nothing_has_no_relative_error() -> None:
    assert fit_of("x", [0.0] * 8, [1.0]).error is None


def test_a_stated_tolerance_is_relative() -> None:
    assert fit_within("x", [100.0], [124.0], 0.25).fits
    assert not fit_within("x", [100.0], [126.0], 0.25).fits
