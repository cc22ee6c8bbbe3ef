"""What the node offers to functions and the vendor does not. A function that uses it runs here alone."""

from wit_world.imports import secrets as _secrets

# While the component is built a secret is an empty text, so that none is in it; `asked` says that module scope wanted one.
_building = False
_asked = False


def secret(name):
    """The text of a secret that the configuration gives to the function."""
    global _asked
    if _building:
        _asked = True
        return ""
    value = _secrets.get(str(name))
    if value is None:
        raise LookupError(f'the function has no secret "{name}"; its configuration names none')
    return value
