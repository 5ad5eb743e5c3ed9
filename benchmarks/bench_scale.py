"""The measurements of the page on scale, tiny: they must not rot."""

import scale


def test_scale_is_measured():
    found = scale.measure(counts=(2,), n_rows=20, idle=0.1, n_large=3)
    assert found["scheduler"][0]["seconds_per_row"] > 0
    assert found["store"]["row_bytes"] > 8 * 3 * scale.N_ATOMS
