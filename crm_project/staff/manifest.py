"""The web app manifest, with which a phone or a desktop installs the admin as an application."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.cache import patch_cache_control

DAY = 24 * 60 * 60


def manifest_view(request: HttpRequest) -> HttpResponse:
    icons = [
        {"src": static("staff/icon.svg"), "sizes": "any", "type": "image/svg+xml"},
        *(
            {
                "src": static(f"staff/icon-{size}.png"),
                "sizes": f"{size}x{size}",
                "type": "image/png",
                **purpose,
            }
            for size, purpose in ((192, {}), (512, {"purpose": "any maskable"}))
        ),
    ]
    manifest = {
        "name": "CRM",
        "short_name": "CRM",
        "id": reverse("admin:index"),
        "start_url": reverse("admin:index"),
        "scope": reverse("admin:index"),
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#2563eb",
        "icons": icons,
    }
    response = JsonResponse(manifest, content_type="application/manifest+json")
    patch_cache_control(response, public=True, max_age=DAY)
    return response
