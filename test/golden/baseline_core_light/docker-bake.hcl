# Made by `factory plan baseline_core_light --format bake`, together with the Dockerfiles that it names. To change it, change the plan and make it again.
# Use it in the folder of factory.yaml:
#   docker buildx bake -f THIS_FILE    builds the group "default": 6 cells
#   docker buildx bake -f THIS_FILE prefixes    fills the cache refs that cells read; do this first, so that every builder has what cells share
# The group "prefixes" has 12 targets; those that end in one fragment are also a group: prefix-core, prefix-light, prefix-security.

group "default" {
  targets = [
    "llm_factory_core-0_1_0_light-0_1_0_linux-amd64",
    "llm_factory_core-0_1_0_light-0_1_0_linux-arm64",
    "llm_factory_core-0_1_0_light-0_2_0_linux-amd64",
    "llm_factory_core-0_1_0_light-0_2_0_linux-arm64",
    "llm_factory_core-0_3_0_light-0_2_0_linux-amd64",
    "llm_factory_core-0_3_0_light-0_2_0_linux-arm64",
  ]
}

group "prefixes" {
  targets = [
    "security-0_1_0-f9e71069df71-linux-amd64",
    "core-0_1_0-dd5bf07a02d6-linux-amd64",
    "light-0_1_0-9a1070309f99-linux-amd64",
    "security-0_1_0-f9e71069df71-linux-arm64",
    "core-0_1_0-dd5bf07a02d6-linux-arm64",
    "light-0_1_0-9a1070309f99-linux-arm64",
    "light-0_2_0-177b727e7164-linux-amd64",
    "light-0_2_0-177b727e7164-linux-arm64",
    "core-0_3_0-2577baa0ad0d-linux-amd64",
    "light-0_2_0-c2f46954004b-linux-amd64",
    "core-0_3_0-2577baa0ad0d-linux-arm64",
    "light-0_2_0-c2f46954004b-linux-arm64",
  ]
}

group "prefix-core" {
  targets = [
    "core-0_1_0-dd5bf07a02d6-linux-amd64",
    "core-0_1_0-dd5bf07a02d6-linux-arm64",
    "core-0_3_0-2577baa0ad0d-linux-amd64",
    "core-0_3_0-2577baa0ad0d-linux-arm64",
  ]
}

group "prefix-light" {
  targets = [
    "light-0_1_0-9a1070309f99-linux-amd64",
    "light-0_1_0-9a1070309f99-linux-arm64",
    "light-0_2_0-177b727e7164-linux-amd64",
    "light-0_2_0-177b727e7164-linux-arm64",
    "light-0_2_0-c2f46954004b-linux-amd64",
    "light-0_2_0-c2f46954004b-linux-arm64",
  ]
}

group "prefix-security" {
  targets = [
    "security-0_1_0-f9e71069df71-linux-amd64",
    "security-0_1_0-f9e71069df71-linux-arm64",
  ]
}

target "security-0_1_0-f9e71069df71-linux-amd64" {
  context = "."
  dockerfile = ".factory/plan/baseline_core_light/llm_factory-4dec3e7ef6a962b8.Dockerfile"
  target = "security"
  platforms = ["linux/amd64"]
  cache-from = ["type=registry,ref=127.0.0.1:5000/factory/cache:security-0.1.0-f9e71069df71-linux-amd64"]
  cache-to = ["type=registry,ref=127.0.0.1:5000/factory/cache:security-0.1.0-f9e71069df71-linux-amd64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  output = ["type=cacheonly"]
}

target "core-0_1_0-dd5bf07a02d6-linux-amd64" {
  context = "."
  dockerfile = ".factory/plan/baseline_core_light/llm_factory-4dec3e7ef6a962b8.Dockerfile"
  target = "core"
  platforms = ["linux/amd64"]
  cache-from = [
    "type=registry,ref=127.0.0.1:5000/factory/cache:core-0.1.0-dd5bf07a02d6-linux-amd64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:security-0.1.0-f9e71069df71-linux-amd64",
  ]
  cache-to = ["type=registry,ref=127.0.0.1:5000/factory/cache:core-0.1.0-dd5bf07a02d6-linux-amd64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  output = ["type=cacheonly"]
}

target "light-0_1_0-9a1070309f99-linux-amd64" {
  context = "."
  dockerfile = ".factory/plan/baseline_core_light/llm_factory-4dec3e7ef6a962b8.Dockerfile"
  target = "light"
  platforms = ["linux/amd64"]
  cache-from = [
    "type=registry,ref=127.0.0.1:5000/factory/cache:light-0.1.0-9a1070309f99-linux-amd64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:core-0.1.0-dd5bf07a02d6-linux-amd64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:security-0.1.0-f9e71069df71-linux-amd64",
  ]
  cache-to = ["type=registry,ref=127.0.0.1:5000/factory/cache:light-0.1.0-9a1070309f99-linux-amd64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  output = ["type=cacheonly"]
}

target "security-0_1_0-f9e71069df71-linux-arm64" {
  context = "."
  dockerfile = ".factory/plan/baseline_core_light/llm_factory-4dec3e7ef6a962b8.Dockerfile"
  target = "security"
  platforms = ["linux/arm64"]
  cache-from = ["type=registry,ref=127.0.0.1:5000/factory/cache:security-0.1.0-f9e71069df71-linux-arm64"]
  cache-to = ["type=registry,ref=127.0.0.1:5000/factory/cache:security-0.1.0-f9e71069df71-linux-arm64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  output = ["type=cacheonly"]
}

target "core-0_1_0-dd5bf07a02d6-linux-arm64" {
  context = "."
  dockerfile = ".factory/plan/baseline_core_light/llm_factory-4dec3e7ef6a962b8.Dockerfile"
  target = "core"
  platforms = ["linux/arm64"]
  cache-from = [
    "type=registry,ref=127.0.0.1:5000/factory/cache:core-0.1.0-dd5bf07a02d6-linux-arm64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:security-0.1.0-f9e71069df71-linux-arm64",
  ]
  cache-to = ["type=registry,ref=127.0.0.1:5000/factory/cache:core-0.1.0-dd5bf07a02d6-linux-arm64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  output = ["type=cacheonly"]
}

target "light-0_1_0-9a1070309f99-linux-arm64" {
  context = "."
  dockerfile = ".factory/plan/baseline_core_light/llm_factory-4dec3e7ef6a962b8.Dockerfile"
  target = "light"
  platforms = ["linux/arm64"]
  cache-from = [
    "type=registry,ref=127.0.0.1:5000/factory/cache:light-0.1.0-9a1070309f99-linux-arm64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:core-0.1.0-dd5bf07a02d6-linux-arm64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:security-0.1.0-f9e71069df71-linux-arm64",
  ]
  cache-to = ["type=registry,ref=127.0.0.1:5000/factory/cache:light-0.1.0-9a1070309f99-linux-arm64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  output = ["type=cacheonly"]
}

target "light-0_2_0-177b727e7164-linux-amd64" {
  context = "."
  dockerfile = ".factory/plan/baseline_core_light/llm_factory-ef146e240f69bc93.Dockerfile"
  target = "light"
  platforms = ["linux/amd64"]
  cache-from = [
    "type=registry,ref=127.0.0.1:5000/factory/cache:light-0.2.0-177b727e7164-linux-amd64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:core-0.1.0-dd5bf07a02d6-linux-amd64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:security-0.1.0-f9e71069df71-linux-amd64",
  ]
  cache-to = ["type=registry,ref=127.0.0.1:5000/factory/cache:light-0.2.0-177b727e7164-linux-amd64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  output = ["type=cacheonly"]
}

target "light-0_2_0-177b727e7164-linux-arm64" {
  context = "."
  dockerfile = ".factory/plan/baseline_core_light/llm_factory-ef146e240f69bc93.Dockerfile"
  target = "light"
  platforms = ["linux/arm64"]
  cache-from = [
    "type=registry,ref=127.0.0.1:5000/factory/cache:light-0.2.0-177b727e7164-linux-arm64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:core-0.1.0-dd5bf07a02d6-linux-arm64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:security-0.1.0-f9e71069df71-linux-arm64",
  ]
  cache-to = ["type=registry,ref=127.0.0.1:5000/factory/cache:light-0.2.0-177b727e7164-linux-arm64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  output = ["type=cacheonly"]
}

target "core-0_3_0-2577baa0ad0d-linux-amd64" {
  context = "."
  dockerfile = ".factory/plan/baseline_core_light/llm_factory-e597dcead24644ec.Dockerfile"
  target = "core"
  platforms = ["linux/amd64"]
  cache-from = [
    "type=registry,ref=127.0.0.1:5000/factory/cache:core-0.3.0-2577baa0ad0d-linux-amd64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:security-0.1.0-f9e71069df71-linux-amd64",
  ]
  cache-to = ["type=registry,ref=127.0.0.1:5000/factory/cache:core-0.3.0-2577baa0ad0d-linux-amd64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  output = ["type=cacheonly"]
}

target "light-0_2_0-c2f46954004b-linux-amd64" {
  context = "."
  dockerfile = ".factory/plan/baseline_core_light/llm_factory-e597dcead24644ec.Dockerfile"
  target = "light"
  platforms = ["linux/amd64"]
  cache-from = [
    "type=registry,ref=127.0.0.1:5000/factory/cache:light-0.2.0-c2f46954004b-linux-amd64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:core-0.3.0-2577baa0ad0d-linux-amd64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:security-0.1.0-f9e71069df71-linux-amd64",
  ]
  cache-to = ["type=registry,ref=127.0.0.1:5000/factory/cache:light-0.2.0-c2f46954004b-linux-amd64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  output = ["type=cacheonly"]
}

target "core-0_3_0-2577baa0ad0d-linux-arm64" {
  context = "."
  dockerfile = ".factory/plan/baseline_core_light/llm_factory-e597dcead24644ec.Dockerfile"
  target = "core"
  platforms = ["linux/arm64"]
  cache-from = [
    "type=registry,ref=127.0.0.1:5000/factory/cache:core-0.3.0-2577baa0ad0d-linux-arm64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:security-0.1.0-f9e71069df71-linux-arm64",
  ]
  cache-to = ["type=registry,ref=127.0.0.1:5000/factory/cache:core-0.3.0-2577baa0ad0d-linux-arm64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  output = ["type=cacheonly"]
}

target "light-0_2_0-c2f46954004b-linux-arm64" {
  context = "."
  dockerfile = ".factory/plan/baseline_core_light/llm_factory-e597dcead24644ec.Dockerfile"
  target = "light"
  platforms = ["linux/arm64"]
  cache-from = [
    "type=registry,ref=127.0.0.1:5000/factory/cache:light-0.2.0-c2f46954004b-linux-arm64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:core-0.3.0-2577baa0ad0d-linux-arm64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:security-0.1.0-f9e71069df71-linux-arm64",
  ]
  cache-to = ["type=registry,ref=127.0.0.1:5000/factory/cache:light-0.2.0-c2f46954004b-linux-arm64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  output = ["type=cacheonly"]
}

target "llm_factory_core-0_1_0_light-0_1_0_linux-amd64" {
  context = "."
  dockerfile = ".factory/plan/baseline_core_light/llm_factory-4dec3e7ef6a962b8.Dockerfile"
  platforms = ["linux/amd64"]
  tags = ["127.0.0.1:5000/factory/llm_factory:core-0.1.0.light-0.1.0.linux-amd64"]
  labels = {
    "org.opencontainers.image.title" = "llm_factory"
    "org.opencontainers.image.description" = "A mock model service on Debian"
    "org.opencontainers.image.base.name" = "debian:bookworm-slim"
    "io.factory.manifest-id" = "llm_factory"
    "io.factory.template" = "llm_factory@0.1.0"
    "io.factory.fragments" = "security@0.1.0,core@0.1.0,light@0.1.0,model_serve_mock@0.1.0"
    "io.factory.recipe-key" = "sha256:91d0a2bc53af0fc7f4b8573a6cd10fa89ec3dd17655d6293da062793ba1e1944"
  }
  annotations = [
    "manifest:org.opencontainers.image.title=llm_factory",
    "manifest:org.opencontainers.image.description=A mock model service on Debian",
    "manifest:org.opencontainers.image.base.name=debian:bookworm-slim",
  ]
  cache-from = [
    "type=registry,ref=127.0.0.1:5000/factory/cache:model_serve_mock-0.1.0-42ac1f9d57da-linux-amd64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:light-0.1.0-9a1070309f99-linux-amd64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:core-0.1.0-dd5bf07a02d6-linux-amd64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:security-0.1.0-f9e71069df71-linux-amd64",
  ]
  cache-to = ["type=registry,ref=127.0.0.1:5000/factory/cache:model_serve_mock-0.1.0-42ac1f9d57da-linux-amd64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  attest = ["type=provenance,mode=max"]
  output = ["type=docker"]
}

target "llm_factory_core-0_1_0_light-0_1_0_linux-arm64" {
  context = "."
  dockerfile = ".factory/plan/baseline_core_light/llm_factory-4dec3e7ef6a962b8.Dockerfile"
  platforms = ["linux/arm64"]
  tags = ["127.0.0.1:5000/factory/llm_factory:core-0.1.0.light-0.1.0.linux-arm64"]
  labels = {
    "org.opencontainers.image.title" = "llm_factory"
    "org.opencontainers.image.description" = "A mock model service on Debian"
    "org.opencontainers.image.base.name" = "debian:bookworm-slim"
    "io.factory.manifest-id" = "llm_factory"
    "io.factory.template" = "llm_factory@0.1.0"
    "io.factory.fragments" = "security@0.1.0,core@0.1.0,light@0.1.0,model_serve_mock@0.1.0"
    "io.factory.recipe-key" = "sha256:91d0a2bc53af0fc7f4b8573a6cd10fa89ec3dd17655d6293da062793ba1e1944"
  }
  annotations = [
    "manifest:org.opencontainers.image.title=llm_factory",
    "manifest:org.opencontainers.image.description=A mock model service on Debian",
    "manifest:org.opencontainers.image.base.name=debian:bookworm-slim",
  ]
  cache-from = [
    "type=registry,ref=127.0.0.1:5000/factory/cache:model_serve_mock-0.1.0-42ac1f9d57da-linux-arm64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:light-0.1.0-9a1070309f99-linux-arm64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:core-0.1.0-dd5bf07a02d6-linux-arm64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:security-0.1.0-f9e71069df71-linux-arm64",
  ]
  cache-to = ["type=registry,ref=127.0.0.1:5000/factory/cache:model_serve_mock-0.1.0-42ac1f9d57da-linux-arm64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  attest = ["type=provenance,mode=max"]
  output = ["type=docker"]
}

target "llm_factory_core-0_1_0_light-0_2_0_linux-amd64" {
  context = "."
  dockerfile = ".factory/plan/baseline_core_light/llm_factory-ef146e240f69bc93.Dockerfile"
  platforms = ["linux/amd64"]
  tags = ["127.0.0.1:5000/factory/llm_factory:core-0.1.0.light-0.2.0.linux-amd64"]
  labels = {
    "org.opencontainers.image.title" = "llm_factory"
    "org.opencontainers.image.description" = "A mock model service on Debian"
    "org.opencontainers.image.base.name" = "debian:bookworm-slim"
    "io.factory.manifest-id" = "llm_factory"
    "io.factory.template" = "llm_factory@0.1.0"
    "io.factory.fragments" = "security@0.1.0,core@0.1.0,light@0.2.0,model_serve_mock@0.1.0"
    "io.factory.recipe-key" = "sha256:8a48840eb2d03b8bde45f46eba4e5ac4eb887773e2ab24bd1569bf82f5c8d5c9"
  }
  annotations = [
    "manifest:org.opencontainers.image.title=llm_factory",
    "manifest:org.opencontainers.image.description=A mock model service on Debian",
    "manifest:org.opencontainers.image.base.name=debian:bookworm-slim",
  ]
  cache-from = [
    "type=registry,ref=127.0.0.1:5000/factory/cache:model_serve_mock-0.1.0-45864b161d95-linux-amd64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:light-0.2.0-177b727e7164-linux-amd64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:core-0.1.0-dd5bf07a02d6-linux-amd64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:security-0.1.0-f9e71069df71-linux-amd64",
  ]
  cache-to = ["type=registry,ref=127.0.0.1:5000/factory/cache:model_serve_mock-0.1.0-45864b161d95-linux-amd64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  attest = ["type=provenance,mode=max"]
  output = ["type=docker"]
}

target "llm_factory_core-0_1_0_light-0_2_0_linux-arm64" {
  context = "."
  dockerfile = ".factory/plan/baseline_core_light/llm_factory-ef146e240f69bc93.Dockerfile"
  platforms = ["linux/arm64"]
  tags = ["127.0.0.1:5000/factory/llm_factory:core-0.1.0.light-0.2.0.linux-arm64"]
  labels = {
    "org.opencontainers.image.title" = "llm_factory"
    "org.opencontainers.image.description" = "A mock model service on Debian"
    "org.opencontainers.image.base.name" = "debian:bookworm-slim"
    "io.factory.manifest-id" = "llm_factory"
    "io.factory.template" = "llm_factory@0.1.0"
    "io.factory.fragments" = "security@0.1.0,core@0.1.0,light@0.2.0,model_serve_mock@0.1.0"
    "io.factory.recipe-key" = "sha256:8a48840eb2d03b8bde45f46eba4e5ac4eb887773e2ab24bd1569bf82f5c8d5c9"
  }
  annotations = [
    "manifest:org.opencontainers.image.title=llm_factory",
    "manifest:org.opencontainers.image.description=A mock model service on Debian",
    "manifest:org.opencontainers.image.base.name=debian:bookworm-slim",
  ]
  cache-from = [
    "type=registry,ref=127.0.0.1:5000/factory/cache:model_serve_mock-0.1.0-45864b161d95-linux-arm64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:light-0.2.0-177b727e7164-linux-arm64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:core-0.1.0-dd5bf07a02d6-linux-arm64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:security-0.1.0-f9e71069df71-linux-arm64",
  ]
  cache-to = ["type=registry,ref=127.0.0.1:5000/factory/cache:model_serve_mock-0.1.0-45864b161d95-linux-arm64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  attest = ["type=provenance,mode=max"]
  output = ["type=docker"]
}

target "llm_factory_core-0_3_0_light-0_2_0_linux-amd64" {
  context = "."
  dockerfile = ".factory/plan/baseline_core_light/llm_factory-e597dcead24644ec.Dockerfile"
  platforms = ["linux/amd64"]
  tags = ["127.0.0.1:5000/factory/llm_factory:core-0.3.0.light-0.2.0.linux-amd64"]
  labels = {
    "org.opencontainers.image.title" = "llm_factory"
    "org.opencontainers.image.description" = "A mock model service on Debian"
    "org.opencontainers.image.base.name" = "debian:bookworm-slim"
    "io.factory.manifest-id" = "llm_factory"
    "io.factory.template" = "llm_factory@0.1.0"
    "io.factory.fragments" = "security@0.1.0,core@0.3.0,light@0.2.0,model_serve_mock@0.1.0"
    "io.factory.recipe-key" = "sha256:15558b83ba952091e56422218fae2c22ca8fe9ba77bb547080a6313922449312"
  }
  annotations = [
    "manifest:org.opencontainers.image.title=llm_factory",
    "manifest:org.opencontainers.image.description=A mock model service on Debian",
    "manifest:org.opencontainers.image.base.name=debian:bookworm-slim",
  ]
  cache-from = [
    "type=registry,ref=127.0.0.1:5000/factory/cache:model_serve_mock-0.1.0-58bfe60ba63a-linux-amd64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:light-0.2.0-c2f46954004b-linux-amd64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:core-0.3.0-2577baa0ad0d-linux-amd64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:security-0.1.0-f9e71069df71-linux-amd64",
  ]
  cache-to = ["type=registry,ref=127.0.0.1:5000/factory/cache:model_serve_mock-0.1.0-58bfe60ba63a-linux-amd64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  attest = ["type=provenance,mode=max"]
  output = ["type=docker"]
}

target "llm_factory_core-0_3_0_light-0_2_0_linux-arm64" {
  context = "."
  dockerfile = ".factory/plan/baseline_core_light/llm_factory-e597dcead24644ec.Dockerfile"
  platforms = ["linux/arm64"]
  tags = ["127.0.0.1:5000/factory/llm_factory:core-0.3.0.light-0.2.0.linux-arm64"]
  labels = {
    "org.opencontainers.image.title" = "llm_factory"
    "org.opencontainers.image.description" = "A mock model service on Debian"
    "org.opencontainers.image.base.name" = "debian:bookworm-slim"
    "io.factory.manifest-id" = "llm_factory"
    "io.factory.template" = "llm_factory@0.1.0"
    "io.factory.fragments" = "security@0.1.0,core@0.3.0,light@0.2.0,model_serve_mock@0.1.0"
    "io.factory.recipe-key" = "sha256:15558b83ba952091e56422218fae2c22ca8fe9ba77bb547080a6313922449312"
  }
  annotations = [
    "manifest:org.opencontainers.image.title=llm_factory",
    "manifest:org.opencontainers.image.description=A mock model service on Debian",
    "manifest:org.opencontainers.image.base.name=debian:bookworm-slim",
  ]
  cache-from = [
    "type=registry,ref=127.0.0.1:5000/factory/cache:model_serve_mock-0.1.0-58bfe60ba63a-linux-arm64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:light-0.2.0-c2f46954004b-linux-arm64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:core-0.3.0-2577baa0ad0d-linux-arm64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:security-0.1.0-f9e71069df71-linux-arm64",
  ]
  cache-to = ["type=registry,ref=127.0.0.1:5000/factory/cache:model_serve_mock-0.1.0-58bfe60ba63a-linux-arm64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  attest = ["type=provenance,mode=max"]
  output = ["type=docker"]
}
