import pytest

from inferagent.lab.connector.ingress import Configuration, PushRefusedError

REST = {"service": "http_status:404"}


def taken(*rules, **more):
    configuration = Configuration()
    configuration.update(1, {"ingress": [*rules, REST]} | more)
    return configuration


def test_before_the_first_push_everything_is_503():
    configuration = Configuration()
    assert configuration.match("h", "/").status == 503
    assert configuration.as_json()["version"] == -1


def test_an_empty_ingress_is_503_too():
    configuration = Configuration()
    configuration.update(0, {"ingress": []})
    assert (configuration.version, configuration.match("h", "/").status) == (0, 503)


def test_the_first_rule_that_fits_is_taken():
    configuration = taken(
        {"hostname": "a.example.com", "path": "^/ready$", "service": "http_status:204"},
        {"hostname": "a.example.com", "path": "api", "service": "http_status:403"},
        {"hostname": "*.example.com", "service": "http://127.0.0.1:8000"},
    )

    def at(host, path):
        return configuration.match(host, path).service

    assert at("a.example.com", "/ready") == "http_status:204"
    assert at("a.example.com", "/ready/") == "http://127.0.0.1:8000"
    assert at("a.example.com", "/v1/api/x") == "http_status:403"
    assert at("a.example.com:443", "/ready") == "http_status:204"
    assert at("b.c.example.com", "/") == "http://127.0.0.1:8000"
    assert at("example.com", "/") == "http_status:404"


@pytest.mark.parametrize(
    "rules",
    [
        [{"service": "http://127.0.0.1:8000/"}],
        [{"service": "http://127.0.0.1:8000/v1"}],
        [{"service": "127.0.0.1:8000"}],
        [{"service": "http_status:99"}],
        [{"service": "http_status:abc"}],
        [{"service": ""}],
        [{"service": "ssh://127.0.0.1:22"}],
        [{"hostname": "h", "service": "http_status:200"}],
        [REST, REST],
        [{"hostname": "a:1", "service": "http_status:200"}, REST],
        [{"hostname": "a.*.b", "service": "http_status:200"}, REST],
        [{"hostname": "h", "path": "(", "service": "http_status:200"}, REST],
    ],
)
def test_one_bad_rule_refuses_the_whole_push(rules):
    configuration = taken({"hostname": "h", "service": "http_status:200"})
    with pytest.raises(PushRefusedError):
        configuration.update(2, {"ingress": rules})
    assert (configuration.version, configuration.match("h", "/").status) == (1, 200)


def test_a_version_that_is_not_newer_changes_nothing():
    configuration = taken()
    configuration.update(1, {"ingress": [{"service": "http_status:500"}]})
    assert configuration.match("h", "/").status == 404


def test_settings_of_a_rule_stand_over_the_common_ones():
    configuration = taken(
        {"hostname": "a", "service": "http://h", "originRequest": {"httpHostHeader": "localhost"}},
        {"hostname": "b", "service": "http://h"},
        originRequest={"httpHostHeader": "common", "connectTimeout": 5},
    )
    assert configuration.match("a", "/").host_header == "localhost"
    assert configuration.match("b", "/").host_header == "common"
    shown = configuration.as_json()["config"]
    assert shown["ingress"][0]["originRequest"]["connectTimeout"] == 5
    assert shown["ingress"][0]["path"] is None
    assert shown["originRequest"]["httpHostHeader"] == "common"
