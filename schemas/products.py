"""The vendor's products and the documented names of their events (facts A.5, A.7 to A.10).

Event numbers collide across products, so nothing here is ever looked up by event number alone.
"""

from enum import StrEnum
from typing import Final


class Product(StrEnum):
    """The products whose tasks are reconciled."""

    TRANSCODER = "transcoder"
    PUSH = "push"
    PULL = "pull"


PUSH_ID: Final = 5
PULL_ID: Final = 4
TRANSCODER_ID: Final = 22  # one current page; the Chinese pages say 3, which recording shares
SERVICE_SCENE: Final = "rtsc/cloud-transcoder"
TRANSCODER_EVENT_PREFIX: Final = "cloud_transcoder_"

PRODUCT_NAMES: Final[dict[int, str]] = {
    1: "rtc",
    2: "client-push",
    3: "recording",
    PULL_ID: Product.PULL.value,
    PUSH_ID: Product.PUSH.value,
    7: "fusion-cdn",
    10: "gateway",
    17: "conversational-ai",
    20: "speech-to-text",
    TRANSCODER_ID: Product.TRANSCODER.value,
}

EVENT_NAMES: Final[dict[str, dict[int, str]]] = {
    Product.TRANSCODER: {
        110: "cloud_transcoder_started",
        111: "cloud_transcoder_stopped",
        112: "cloud_transcoder_status",
        113: "cloud_transcoder_updated",
    },
    Product.PUSH: {
        1: "converter_created",
        2: "converter_updated",
        3: "converter_state_changed",
        4: "converter_destroyed",
    },
    Product.PULL: {1: "player_created", 3: "player_destroyed", 4: "player_status_changed"},
    "rtc": {
        101: "channel_create",
        102: "channel_destroy",
        103: "broadcaster_join",
        104: "broadcaster_leave",
        105: "audience_join",
        106: "audience_leave",
        107: "communication_join",
        108: "communication_leave",
        111: "role_to_broadcaster",
        112: "role_to_audience",
    },
    "recording": {
        1: "cloud_recording_error",
        2: "cloud_recording_warning",
        3: "cloud_recording_status_update",
        4: "cloud_recording_file_infos",
        11: "session_exit",
        12: "session_failover",
        30: "uploader_started",
        31: "uploaded",
        32: "backuped",
        33: "uploading_progress",
        40: "recorder_started",
        41: "recorder_leave",
        42: "recorder_slice_start",
        43: "recorder_audio_stream_state_changed",
        44: "recorder_video_stream_state_changed",
        45: "recorder_snapshot_file",
        60: "vod_started",
        61: "vod_triggered",
        70: "web_recorder_started",
        71: "web_recorder_stopped",
        72: "web_recorder_capability_limit",
        73: "web_recorder_reload",
        80: "transcoder_started",
        81: "transcoder_completed",
        90: "download_failed",
        100: "rtmp_publish_status",
        1001: "postpone_transcode_final_result",
    },
    "gateway": {
        1: "live_stream_connected",
        2: "live_stream_disconnected",
        3: "live_stream_aborted",
        4: "live_profile_updated",
    },
    "conversational-ai": {
        101: "joined",
        102: "left",
        103: "history",
        104: "expire",
        110: "error",
        111: "metrics",
        112: "turns_finished",
        201: "inbound_call_state",
        202: "outbound_call_state",
    },
    "speech-to-text": {101: "joined", 102: "left"},
    "fusion-cdn": {1: "publish_start", 2: "publish_end"},
}


def product_name(product_id: int) -> str:
    """The name of a product number; an unknown number keeps it: `product-99`."""
    return PRODUCT_NAMES.get(product_id) or f"product-{product_id}"


def event_name(product: str, event_type: int) -> str | None:
    """The documented name of an event of a product, None where the vendor documents none."""
    names = EVENT_NAMES.get(product)
    return names.get(event_type) if names else None
