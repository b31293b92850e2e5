"""What accounts get from their domain."""

from posthouse.config.settings import Settings
from posthouse.services.identity.defaults import DAY, hold_seconds, language_of, quota_of
from posthouse.store.directory_rows import SettingRow


def test_a_domain_decides_for_its_accounts() -> None:
    """Quota, language and hold time come from the domain, else from its post office or the server."""
    rows = [
        SettingRow("account.quota", "domain:a.test", "1 GiB", "", 0.0),
        SettingRow("account.language", "office:acme", "de", "", 0.0),
        SettingRow("account.hold_days", "server", "7", "", 0.0),
    ]
    settings = Settings(rows, offices={"a.test": "acme"})
    assert (quota_of(settings, "a.test"), quota_of(settings, "b.test")) == (1 << 30, 0)
    assert [language_of(settings, address) for address in ("x@a.test", "x@b.test")] == ["de", "en"]
    assert language_of(settings, "x@a.test", "fr") == "fr"
    assert hold_seconds(settings, "x@a.test") == 7 * DAY
