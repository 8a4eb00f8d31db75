"""What the environment is understood to say."""

from pathlib import Path

import pytest

from opssquad.errors import UsageError
from opssquad.settings import load


def test_state_lives_where_the_operator_says() -> None:
    assert load({"OPSSQUAD_STATE": "/srv/ops"}).state == Path("/srv/ops")


def test_state_follows_xdg_and_ignores_a_relative_one() -> None:
    assert load({"XDG_STATE_HOME": "/var/xdg"}).state == Path("/var/xdg/opssquad")
    assert load({"XDG_STATE_HOME": "xdg"}).state == Path.home() / ".local/state/opssquad"


def test_the_model_is_offline_unless_one_is_named() -> None:
    assert load({"OPENAI_API_KEY": "k"}).model == "offline"
    assert load({"OPSSQUAD_MODEL": "big-one"}).model == "big-one"


def test_the_key_is_never_printed() -> None:
    settings = load({"OPENAI_API_KEY": "sk-tell-nobody"})
    assert settings.api_key.get_secret_value() == "sk-tell-nobody"
    assert "sk-tell-nobody" not in repr(settings)
    assert "sk-tell-nobody" not in settings.model_dump_json()


def test_a_base_url_without_a_scheme_is_refused() -> None:
    with pytest.raises(UsageError, match="must begin with http"):
        load({"OPENAI_BASE_URL": "localhost:8000/v1"})


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"OPENAI_BASE_URL": "http://[::1"}, "OPENAI_BASE_URL is no address"),
        ({"OPENAI_API_KEY": "sk-ü€"}, "OPENAI_API_KEY holds what no key holds"),
        ({"OPENAI_API_KEY": "sk-a\nb"}, "OPENAI_API_KEY holds what no key holds"),
        ({"OPSSQUAD_USER": "\udcff"}, "OPSSQUAD_USER is not UTF-8 text"),
        ({"OPSSQUAD_STATE": "/srv/\udcff"}, "OPSSQUAD_STATE is not UTF-8 text"),
    ],
)
def test_what_cannot_be_meant_is_refused_without_showing_a_key(
    environment: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        load(environment)
    assert "sk-" not in str(caught.value)


def test_all_kubeconfigs_of_the_list_are_kept_in_order_even_missing_ones(tmp_path: Path) -> None:
    there = tmp_path / "config"
    there.write_text("{}")
    assert load({"KUBECONFIG": f"{tmp_path / 'gone'}:{there}"}).kubeconfigs == (tmp_path / "gone", there)


def test_in_a_pod_the_api_server_is_where_the_kubelet_says() -> None:
    assert (
        load({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}).in_cluster
        == "10.0.0.1:443"
    )
    assert (
        load({"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}).in_cluster
        == "[fd00::1]:443"
    )
    assert load({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}).in_cluster == ""


def test_cards_wait_as_long_as_the_operator_says_and_ten_minutes_otherwise() -> None:
    assert load({}).approval_minutes == 10
    assert load({"OPSSQUAD_APPROVAL_MINUTES": "2.5"}).approval_minutes == 2.5


@pytest.mark.parametrize("said", ["soon", "0", "-1", "nan", "inf", "1441"])
def test_minutes_that_are_none_are_refused(said: str) -> None:
    with pytest.raises(UsageError, match="OPSSQUAD_APPROVAL_MINUTES is"):
        load({"OPSSQUAD_APPROVAL_MINUTES": said})


@pytest.mark.parametrize(
    ("variable", "name"), [("OPSSQUAD_REDACTION", "redaction"), ("OPSSQUAD_POLICY", "policy")]
)
def test_the_organisations_file_is_the_one_named_or_the_usual_one_if_it_is_there(
    tmp_path: Path, variable: str, name: str
) -> None:
    def found(**environ: str) -> Path | None:
        file: Path | None = getattr(load({"XDG_CONFIG_HOME": str(tmp_path), **environ}), name)
        return file

    usual = tmp_path / "opssquad" / f"{name}.yaml"
    assert found() is None
    assert found(**{variable: "/etc/ops.yaml"}) == Path("/etc/ops.yaml")
    usual.parent.mkdir()
    usual.write_text("{}")
    assert found() == usual
    # What is there and cannot be read is told later, not passed over.
    usual.unlink()
    usual.symlink_to("nowhere")
    assert found() == usual
    long = tmp_path / ("a" * 300)
    assert found(XDG_CONFIG_HOME=str(long)) == long / "opssquad" / f"{name}.yaml"


def test_the_organisations_faults_are_a_folder_found_in_the_same_way(tmp_path: Path) -> None:
    usual = tmp_path / "opssquad" / "faults"
    assert load({"XDG_CONFIG_HOME": str(tmp_path)}).faults is None
    usual.mkdir(parents=True)
    assert load({"XDG_CONFIG_HOME": str(tmp_path)}).faults == usual
    named = {"XDG_CONFIG_HOME": str(tmp_path), "OPSSQUAD_FAULTS": "/etc/faults"}
    assert load(named).faults == Path("/etc/faults")


def test_the_organisations_runbooks_are_a_folder_found_in_the_same_way(tmp_path: Path) -> None:
    usual = tmp_path / "opssquad" / "runbooks"
    assert load({"XDG_CONFIG_HOME": str(tmp_path)}).runbooks is None
    usual.mkdir(parents=True)
    assert load({"XDG_CONFIG_HOME": str(tmp_path)}).runbooks == usual
    named = {"XDG_CONFIG_HOME": str(tmp_path), "OPSSQUAD_RUNBOOKS": "/etc/runbooks"}
    assert load(named).runbooks == Path("/etc/runbooks")


def test_nobody_changes_anything_where_the_operator_says_so() -> None:
    assert load({}).read_only is False
    assert load({"OPSSQUAD_READ_ONLY": "0"}).read_only is False
    assert load({"OPSSQUAD_READ_ONLY": "1"}).read_only is True
    with pytest.raises(UsageError, match="OPSSQUAD_READ_ONLY is 'yes'; give 1 or 0"):
        load({"OPSSQUAD_READ_ONLY": "yes"})
