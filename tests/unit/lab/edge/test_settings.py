from inferagent.lab.edge.settings import EdgeSettings


def test_defaults_are_the_real_delays():
    settings = EdgeSettings()
    assert (settings.lag, settings.cache_s, settings.silence_s) == ((0.0, 10.0), 5.0, 120.0)
    assert len(settings.addresses) >= 2
    assert len(settings.data_centres) == 1
