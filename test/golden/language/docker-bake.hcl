# Made by `factory plan language --format bake`, together with the Dockerfiles that it names. To change it, change the plan and make it again.
# Use it in the folder of factory.yaml:
#   docker buildx bake -f THIS_FILE    builds the group "default": 2 cells
#   docker buildx bake -f THIS_FILE prefixes    fills the cache refs that cells read; do this first, so that every builder has what cells share
# The group "prefixes" has 2 targets; those that end in one fragment are also a group: prefix-words.

group "default" {
  targets = [
    "language_words-1_0_0-rc_1_linux-amd64",
    "language_words-1_0_0_linux-arm64",
  ]
}

group "prefixes" {
  targets = [
    "words-1_0_0-rc_1-190ae338252e-linux-amd64",
    "words-1_0_0-d5b4eda92a25-linux-arm64",
  ]
}

group "prefix-words" {
  targets = [
    "words-1_0_0-rc_1-190ae338252e-linux-amd64",
    "words-1_0_0-d5b4eda92a25-linux-arm64",
  ]
}

target "words-1_0_0-rc_1-190ae338252e-linux-amd64" {
  context = "."
  dockerfile = ".factory/plan/language/language-4de6a88dee1ceafd.Dockerfile"
  target = "words"
  platforms = ["linux/amd64"]
  cache-from = ["type=registry,ref=registry.example:5000/team/cache:words-1.0.0-rc.1-190ae338252e-linux-amd64"]
  cache-to = ["type=registry,ref=registry.example:5000/team/cache:words-1.0.0-rc.1-190ae338252e-linux-amd64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  output = ["type=cacheonly"]
}

target "words-1_0_0-d5b4eda92a25-linux-arm64" {
  context = "."
  dockerfile = ".factory/plan/language/language-04732d88de27a353.Dockerfile"
  target = "words"
  platforms = ["linux/arm64"]
  cache-from = ["type=registry,ref=registry.example:5000/team/cache:words-1.0.0-d5b4eda92a25-linux-arm64"]
  cache-to = ["type=registry,ref=registry.example:5000/team/cache:words-1.0.0-d5b4eda92a25-linux-arm64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  output = ["type=cacheonly"]
}

target "language_words-1_0_0-rc_1_linux-amd64" {
  context = "."
  dockerfile = ".factory/plan/language/language-4de6a88dee1ceafd.Dockerfile"
  platforms = ["linux/amd64"]
  tags = ["registry.example:5000/team/language:words-1.0.0-rc.1.linux-amd64"]
  labels = {
    "org.opencontainers.image.title" = "language"
    "org.opencontainers.image.description" = "Every word of the template language: \"quotes\", $dollars, $${braces} and a \\"
    "org.opencontainers.image.base.name" = "debian:bookworm-slim"
    "io.factory.manifest-id" = "language"
    "io.factory.template" = "language@1.0.0"
    "io.factory.fragments" = "words@1.0.0-rc.1,files@2.0.0"
    "io.factory.recipe-key" = "sha256:f4b8d5e8f4173eaf0c04976bde881296f4685c192afd630ed56d8215a8f487d9"
  }
  annotations = [
    "manifest:org.opencontainers.image.title=language",
    "manifest:org.opencontainers.image.description=Every word of the template language: \"quotes\", $dollars, $${braces} and a \\",
    "manifest:org.opencontainers.image.base.name=debian:bookworm-slim",
  ]
  cache-from = [
    "type=registry,ref=registry.example:5000/team/cache:files-2.0.0-4ae2c644ece6-linux-amd64",
    "type=registry,ref=registry.example:5000/team/cache:words-1.0.0-rc.1-190ae338252e-linux-amd64",
  ]
  cache-to = ["type=registry,ref=registry.example:5000/team/cache:files-2.0.0-4ae2c644ece6-linux-amd64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  attest = ["type=provenance,mode=max"]
  output = ["type=docker"]
}

target "language_words-1_0_0_linux-arm64" {
  context = "."
  dockerfile = ".factory/plan/language/language-04732d88de27a353.Dockerfile"
  platforms = ["linux/arm64"]
  tags = ["registry.example:5000/team/language:words-1.0.0.linux-arm64"]
  labels = {
    "org.opencontainers.image.title" = "language"
    "org.opencontainers.image.description" = "Every word of the template language: \"quotes\", $dollars, $${braces} and a \\"
    "org.opencontainers.image.base.name" = "debian:bookworm-slim"
    "io.factory.manifest-id" = "language"
    "io.factory.template" = "language@1.0.0"
    "io.factory.fragments" = "words@1.0.0,files@2.0.0"
    "io.factory.recipe-key" = "sha256:c93ca10505fb1472f6e9aec0829a6c539f5ba8e79c1a32dee7bf838796e7794e"
  }
  annotations = [
    "manifest:org.opencontainers.image.title=language",
    "manifest:org.opencontainers.image.description=Every word of the template language: \"quotes\", $dollars, $${braces} and a \\",
    "manifest:org.opencontainers.image.base.name=debian:bookworm-slim",
  ]
  cache-from = [
    "type=registry,ref=registry.example:5000/team/cache:files-2.0.0-db8f8ab12e4f-linux-arm64",
    "type=registry,ref=registry.example:5000/team/cache:words-1.0.0-d5b4eda92a25-linux-arm64",
  ]
  cache-to = ["type=registry,ref=registry.example:5000/team/cache:files-2.0.0-db8f8ab12e4f-linux-arm64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  attest = ["type=provenance,mode=max"]
  output = ["type=docker"]
}
