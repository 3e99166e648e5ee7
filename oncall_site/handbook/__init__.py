"""The handbook's way into every room's tables, and back out of them (product.md §1)."""

from oncall_site.handbook.exporting import export_handbook
from oncall_site.handbook.importing import Report, import_handbook, preview_handbook

__all__ = ["Report", "export_handbook", "import_handbook", "preview_handbook"]
