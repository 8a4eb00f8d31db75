"""Quantities: what Kubernetes writes is understood, and what is shown is what people write."""

import pytest
from tools._quantity import exact, parse, show


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("512Mi", 512 * 1024**2),
        ("250m", 0.25),
        ("2", 2.0),
        ("1e3", 1000.0),
        ("1.5Gi", 1.5 * 1024**3),
        ("1k", 1000.0),
    ],
)
def test_quantities_are_read_in_base_units(text: str, value: float) -> None:
    assert parse(text) == value


@pytest.mark.parametrize("text", ["", "Mi", "12 MB", "1.2.3", "ten"])
def test_what_is_no_quantity_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="is not a quantity"):
        parse(text)


@pytest.mark.parametrize(
    ("value", "resource", "words"),
    [
        (24 * 1024**3, "memory", "24Gi"),
        (0.25, "cpu", "250m"),
        (4.0, "cpu", "4"),
        (60, "pods", "60"),
        (15186420 * 1024, "requests.memory", "14.5Gi"),
    ],
)
def test_numbers_are_shown_as_people_write_them(value: float, resource: str, words: str) -> None:
    assert show(value, resource) == words


@pytest.mark.parametrize(
    ("text", "resource", "same"),
    [
        ("14336Mi", "limits.memory", "14Gi"),
        ("12800Mi", "limits.memory", "12800Mi"),
        ("1000", "requests.memory", "1000"),
        ("0", "requests.memory", "0"),
        ("1500m", "limits.cpu", "1500m"),
        ("2", "pods", "2"),
    ],
)
def test_a_sum_is_written_without_loss_in_the_largest_unit(text: str, resource: str, same: str) -> None:
    assert exact(parse(text), resource) == same
