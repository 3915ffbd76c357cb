"""Run the Singer tap oviond-tap-go-high-level. Arguments: base URL, token, location. Prints Singer messages."""

import sys

from tap_go_high_level.client import GoHighLevelStream
from tap_go_high_level.tap import TapGoHighLevel

base_url, token, location = sys.argv[1:]
GoHighLevelStream.url_base = base_url
TapGoHighLevel(config={"auth_token": token, "location_id": location}).sync_all()
