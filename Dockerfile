# One image for every service; the command says which: docker run njia engine
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

RUN useradd --system --uid 10001 --no-create-home njia

WORKDIR /build
COPY requirements.lock pyproject.toml ./
COPY cli cli
COPY emulator emulator
COPY gateway gateway
COPY gen gen
COPY launcher launcher
COPY rpc rpc
COPY services services
COPY storage storage
COPY telemetry telemetry
COPY workflow workflow
# The lock holds the versions of development tools too; as a constraint it installs only what the services need.
RUN python3 -m pip install --no-cache-dir --constraint requirements.lock . && rm -rf /build

WORKDIR /
USER njia
ENTRYPOINT ["python3", "-m", "services"]
CMD ["all"]
