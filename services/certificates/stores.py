"""Which object store the settings name: a folder, or a bucket that speaks S3."""

from services.certificates.objects import Objects, folder_of
from services.certificates.objects_s3 import BucketObjects, place_of
from services.certificates.settings import Settings


def store_of(settings: Settings) -> Objects:
    """The store the settings name; refused at the start when they name none that we speak to."""
    if settings.objects_url.startswith("s3"):
        return BucketObjects(place_of(settings.objects_url, settings.objects_key_file))
    return folder_of(settings.objects_url, settings.var)
