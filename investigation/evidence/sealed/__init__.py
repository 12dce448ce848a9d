"""Files recorded on other machines, and the manifests that seal them."""
