"""What the operator sets on photobooth-app's page of plugins."""

from photobooth import CONFIG_PATH
from photobooth.services.config.baseconfig import BaseConfig
from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import SettingsConfigDict


class EditFilter(BaseModel):
    """A filter: what visitors see, and what the server is asked to make of their photo."""

    name: str = Field(pattern=r"^[^.]+$", description="Shown to visitors. No dot.")
    prompt: str = Field(min_length=1, description="What becomes of the photo, such as 'make it night'.")


class FilterEdgevloConfig(BaseConfig):
    """Where the server is, and the filters."""

    model_config = SettingsConfigDict(
        title="EdgeVLo Filter Plugin Config",
        json_file=f"{CONFIG_PATH}plugin_filter_edgevlo.json",
        env_prefix="filter-edgevlo-",
    )

    server: str = Field(default="http://127.0.0.1:11435", description="Address of `edgevlo serve`.")
    api_key: SecretStr = Field(default=SecretStr(""), description="A key of the server, where it asks for one.")
    model: str = Field(default="", description="Name of a model that edits; empty: the server's first one.")
    timeout: float = Field(default=120, gt=0, description="Seconds that a picture may take.")
    label: str = Field(default="AI", description="Put into the corner of the picture; empty: nothing.")
    filters: list[EditFilter] = Field(
        default=[
            EditFilter(name="night", prompt="make it night"),
            EditFilter(name="snow", prompt="let it snow"),
        ],
    )
