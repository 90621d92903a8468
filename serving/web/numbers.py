"""Numbers in addresses: of pictures and turns, with as many digits as one may have."""

from starlette.convertors import Convertor, register_url_convertor


class _Number(Convertor[int]):
    regex = "[0-9]{1,9}"  # Python refuses to read thousands of digits

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


def register() -> None:
    """Let routes say `{name:number}`."""
    register_url_convertor("number", _Number())
