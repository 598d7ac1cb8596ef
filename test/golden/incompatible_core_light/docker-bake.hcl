group "default" {
  targets = [
    "llm_factory_core-0_1_0_light-0_1_0_linux-amd64",
    "llm_factory_core-0_1_0_light-0_2_0_linux-amd64",
    "llm_factory_core-0_3_0_light-0_1_0_linux-amd64",
    "llm_factory_core-0_3_0_light-0_2_0_linux-amd64",
  ]
}

group "prefix-core" {
  targets = [
    "core-0_1_0-dd5bf07a02d6-linux-amd64",
    "core-0_3_0-2577baa0ad0d-linux-amd64",
  ]
}

group "prefix-light" {
  targets = [
    "light-0_1_0-9a1070309f99-linux-amd64",
    "light-0_2_0-177b727e7164-linux-amd64",
    "light-0_1_0-bb011dd85969-linux-amd64",
    "light-0_2_0-c2f46954004b-linux-amd64",
  ]
}

group "prefix-security" {
  targets = ["security-0_1_0-f9e71069df71-linux-amd64"]
}

target "security-0_1_0-f9e71069df71-linux-amd64" {
  context = "."
  dockerfile = ".factory/plan/incompatible_core_light/llm_factory_core-0_1_0_light-0_1_0_linux-amd64.Dockerfile"
  target = "security"
  platforms = ["linux/amd64"]
  cache-from = ["type=registry,ref=127.0.0.1:5000/factory/cache:security-0.1.0-f9e71069df71-linux-amd64"]
  cache-to = ["type=registry,ref=127.0.0.1:5000/factory/cache:security-0.1.0-f9e71069df71-linux-amd64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  output = ["type=cacheonly"]
}

target "core-0_1_0-dd5bf07a02d6-linux-amd64" {
  context = "."
  dockerfile = ".factory/plan/incompatible_core_light/llm_factory_core-0_1_0_light-0_1_0_linux-amd64.Dockerfile"
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
  dockerfile = ".factory/plan/incompatible_core_light/llm_factory_core-0_1_0_light-0_1_0_linux-amd64.Dockerfile"
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

target "light-0_2_0-177b727e7164-linux-amd64" {
  context = "."
  dockerfile = ".factory/plan/incompatible_core_light/llm_factory_core-0_1_0_light-0_2_0_linux-amd64.Dockerfile"
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

target "core-0_3_0-2577baa0ad0d-linux-amd64" {
  context = "."
  dockerfile = ".factory/plan/incompatible_core_light/llm_factory_core-0_3_0_light-0_1_0_linux-amd64.Dockerfile"
  target = "core"
  platforms = ["linux/amd64"]
  cache-from = [
    "type=registry,ref=127.0.0.1:5000/factory/cache:core-0.3.0-2577baa0ad0d-linux-amd64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:security-0.1.0-f9e71069df71-linux-amd64",
  ]
  cache-to = ["type=registry,ref=127.0.0.1:5000/factory/cache:core-0.3.0-2577baa0ad0d-linux-amd64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  output = ["type=cacheonly"]
}

target "light-0_1_0-bb011dd85969-linux-amd64" {
  context = "."
  dockerfile = ".factory/plan/incompatible_core_light/llm_factory_core-0_3_0_light-0_1_0_linux-amd64.Dockerfile"
  target = "light"
  platforms = ["linux/amd64"]
  cache-from = [
    "type=registry,ref=127.0.0.1:5000/factory/cache:light-0.1.0-bb011dd85969-linux-amd64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:core-0.3.0-2577baa0ad0d-linux-amd64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:security-0.1.0-f9e71069df71-linux-amd64",
  ]
  cache-to = ["type=registry,ref=127.0.0.1:5000/factory/cache:light-0.1.0-bb011dd85969-linux-amd64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  output = ["type=cacheonly"]
}

target "light-0_2_0-c2f46954004b-linux-amd64" {
  context = "."
  dockerfile = ".factory/plan/incompatible_core_light/llm_factory_core-0_3_0_light-0_2_0_linux-amd64.Dockerfile"
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

target "llm_factory_core-0_1_0_light-0_1_0_linux-amd64" {
  context = "."
  dockerfile = ".factory/plan/incompatible_core_light/llm_factory_core-0_1_0_light-0_1_0_linux-amd64.Dockerfile"
  platforms = ["linux/amd64"]
  tags = ["127.0.0.1:5000/factory/llm_factory:core-0.1.0.light-0.1.0.linux-amd64"]
  labels = {
    "org.opencontainers.image.title" = "llm_factory"
    "org.opencontainers.image.description" = "A mock model service on Debian"
    "org.opencontainers.image.base.name" = "debian:bookworm-slim"
    "io.factory.manifest-id" = "llm_factory"
    "io.factory.template" = "llm_factory@0.1.0"
    "io.factory.fragments" = "security@0.1.0,core@0.1.0,light@0.1.0,model_serve_mock@0.1.0"
    "io.factory.build-key" = "sha256:c5d0d4605287a75489029c990bd57d0fa08692de42b50f77d85996bf6b23e8e7"
  }
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

target "llm_factory_core-0_1_0_light-0_2_0_linux-amd64" {
  context = "."
  dockerfile = ".factory/plan/incompatible_core_light/llm_factory_core-0_1_0_light-0_2_0_linux-amd64.Dockerfile"
  platforms = ["linux/amd64"]
  tags = ["127.0.0.1:5000/factory/llm_factory:core-0.1.0.light-0.2.0.linux-amd64"]
  labels = {
    "org.opencontainers.image.title" = "llm_factory"
    "org.opencontainers.image.description" = "A mock model service on Debian"
    "org.opencontainers.image.base.name" = "debian:bookworm-slim"
    "io.factory.manifest-id" = "llm_factory"
    "io.factory.template" = "llm_factory@0.1.0"
    "io.factory.fragments" = "security@0.1.0,core@0.1.0,light@0.2.0,model_serve_mock@0.1.0"
    "io.factory.build-key" = "sha256:deb25f4b41fa5dd55e5e595d169dcec6a61c99648aaea81e61dfbbb419c0fa98"
  }
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

target "llm_factory_core-0_3_0_light-0_1_0_linux-amd64" {
  context = "."
  dockerfile = ".factory/plan/incompatible_core_light/llm_factory_core-0_3_0_light-0_1_0_linux-amd64.Dockerfile"
  platforms = ["linux/amd64"]
  tags = ["127.0.0.1:5000/factory/llm_factory:core-0.3.0.light-0.1.0.linux-amd64"]
  labels = {
    "org.opencontainers.image.title" = "llm_factory"
    "org.opencontainers.image.description" = "A mock model service on Debian"
    "org.opencontainers.image.base.name" = "debian:bookworm-slim"
    "io.factory.manifest-id" = "llm_factory"
    "io.factory.template" = "llm_factory@0.1.0"
    "io.factory.fragments" = "security@0.1.0,core@0.3.0,light@0.1.0,model_serve_mock@0.1.0"
    "io.factory.build-key" = "sha256:7eb80103dd51fb705a72f72843b993d208387d6164f0151f0894c4c5b3866c60"
  }
  cache-from = [
    "type=registry,ref=127.0.0.1:5000/factory/cache:model_serve_mock-0.1.0-5d9add412e46-linux-amd64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:light-0.1.0-bb011dd85969-linux-amd64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:core-0.3.0-2577baa0ad0d-linux-amd64",
    "type=registry,ref=127.0.0.1:5000/factory/cache:security-0.1.0-f9e71069df71-linux-amd64",
  ]
  cache-to = ["type=registry,ref=127.0.0.1:5000/factory/cache:model_serve_mock-0.1.0-5d9add412e46-linux-amd64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  attest = ["type=provenance,mode=max"]
  output = ["type=docker"]
}

target "llm_factory_core-0_3_0_light-0_2_0_linux-amd64" {
  context = "."
  dockerfile = ".factory/plan/incompatible_core_light/llm_factory_core-0_3_0_light-0_2_0_linux-amd64.Dockerfile"
  platforms = ["linux/amd64"]
  tags = ["127.0.0.1:5000/factory/llm_factory:core-0.3.0.light-0.2.0.linux-amd64"]
  labels = {
    "org.opencontainers.image.title" = "llm_factory"
    "org.opencontainers.image.description" = "A mock model service on Debian"
    "org.opencontainers.image.base.name" = "debian:bookworm-slim"
    "io.factory.manifest-id" = "llm_factory"
    "io.factory.template" = "llm_factory@0.1.0"
    "io.factory.fragments" = "security@0.1.0,core@0.3.0,light@0.2.0,model_serve_mock@0.1.0"
    "io.factory.build-key" = "sha256:cb54e3d5311ef93a030b24d3dc4c2683be15a13b6aba87996a8b424edadc75ea"
  }
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
