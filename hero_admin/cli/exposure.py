"""Exposure: what must be set before a server can be reached from other machines."""

from ipaddress import ip_address

from hero_admin.settings import MIN_KEY_CHARACTERS, Settings, SettingsError


def check_exposure(settings: Settings) -> Settings:
    """Return the settings; raises SettingsError if they are too open for their address."""
    if settings.auth == "off" and settings.allowed_hosts:
        raise SettingsError(
            "WEBAPP_AUTH=off turns off sign-in, so it can't be combined with WEBAPP_ALLOWED_HOSTS."
        )
    if not _is_loopback(settings.host):
        if settings.auth == "off":
            raise SettingsError(
                "WEBAPP_AUTH=off turns off sign-in, so WEBAPP_HOST must be a loopback address"
                f" such as 127.0.0.1, not “{settings.host}”."
            )
        if len(settings.secret_key.get_secret_value()) < MIN_KEY_CHARACTERS:
            raise SettingsError(
                f"WEBAPP_SECRET_KEY must be a random text of at least {MIN_KEY_CHARACTERS}"
                f" characters to listen on {settings.host}."
            )
    if settings.is_on_all_addresses and not settings.allowed_hosts:
        raise SettingsError(
            "WEBAPP_ALLOWED_HOSTS must name the hosts that browsers ask for, with commas between"
            f" them, to listen on all addresses ({settings.host})."
        )
    return settings


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
