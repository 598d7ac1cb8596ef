# Made by `factory plan core_smoke --format bake`, together with the Dockerfiles that it names. To change it, change the plan and make it again.
# Use it in the folder of factory.yaml:
#   docker buildx bake -f THIS_FILE    builds the group "default": 1 cell

group "default" {
  targets = ["core_smoke_linux-amd64"]
}

target "core_smoke_linux-amd64" {
  context = "."
  dockerfile = ".factory/plan/core_smoke/core_smoke-8eea8586afa004b9.Dockerfile"
  platforms = ["linux/amd64"]
  tags = ["127.0.0.1:5000/factory/core_smoke:linux-amd64"]
  labels = {
    "org.opencontainers.image.title" = "core_smoke"
    "org.opencontainers.image.description" = "The runtime alone, to debug that one fragment"
    "org.opencontainers.image.base.name" = "debian:bookworm-slim"
    "io.factory.manifest-id" = "core_smoke"
    "io.factory.template" = "core_smoke@0.1.0"
    "io.factory.fragments" = "core@0.3.0"
    "io.factory.recipe-key" = "sha256:219c63c962f81083d9c58aac764704f855ecc69bc7bffe6b20875fd612cef2d4"
  }
  annotations = [
    "manifest:org.opencontainers.image.title=core_smoke",
    "manifest:org.opencontainers.image.description=The runtime alone, to debug that one fragment",
    "manifest:org.opencontainers.image.base.name=debian:bookworm-slim",
  ]
  cache-from = ["type=registry,ref=127.0.0.1:5000/factory/cache:core-0.3.0-1bead6153b1c-linux-amd64"]
  cache-to = ["type=registry,ref=127.0.0.1:5000/factory/cache:core-0.3.0-1bead6153b1c-linux-amd64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  attest = ["type=provenance,mode=max"]
  output = ["type=docker"]
}
