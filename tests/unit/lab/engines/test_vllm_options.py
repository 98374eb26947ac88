"""The command line is the real one's."""

import pytest

from inferagent.lab.engines.vllm_options import parse


def test_what_the_lab_uses_is_read():
    line = "serve m --port 81 --served-model-name chat talk --shutdown-timeout 15 --max-num-seqs 4"
    options = parse(line.split(), "1")
    assert (options.model, options.port, options.names) == ("m", 81, ["chat", "talk"])
    assert (options.shutdown_timeout, options.max_num_seqs, options.disable_log_stats) == (15.0, 4, False)


def test_defaults_and_unknown_options():
    options = parse(["serve", "m", "--enforce-eager", "--dtype", "float32"], "1")
    assert (options.names, options.port, options.shutdown_timeout) == (["m"], 8000, 0.0)


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit):
        parse(["--version"], "0.1+x")
    assert capsys.readouterr().out.strip() == "0.1+x"


def test_serve_needs_a_model(capsys):
    with pytest.raises(SystemExit) as ended:
        parse(["serve"], "1")
    assert ended.value.code == 2
    assert "model" in capsys.readouterr().err
