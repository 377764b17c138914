"""Asks the Standard Webhooks project's own library for Python: a JSON object a line in, a JSON object a line out."""

import base64
import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError

for line in sys.stdin:
    asked = json.loads(line)
    try:
        Webhook(asked["secret"]).verify(base64.b64decode(asked["body"]), asked["headers"])
        refused = None
    except WebhookVerificationError as error:
        refused = str(error) or "refused"
    print(json.dumps({"refused": refused}), flush=True)
