# One image for every service; the command says which: docker run njia engine
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

RUN useradd --system --uid 10001 --no-create-home njia

WORKDIR /build
COPY requirements.lock pyproject.toml ./
# The lock holds the versions of development tools too; as a constraint it installs only what the services need. What
# others wrote is a layer of its own, so that a change of the code does not install it again.
RUN python3 -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")' > needed.txt \
    && python3 -m pip install --no-cache-dir --constraint requirements.lock --requirement needed.txt
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
RUN python3 -m pip install --no-cache-dir --no-deps . && rm -rf /build

WORKDIR /
# By its number: Kubernetes refuses a name where it must know that the user is not root.
USER 10001
# Of whatever service the command names. The start is not counted: modules are compiled anew on a read-only disk.
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 CMD ["python3", "-m", "launcher.probe"]
ENTRYPOINT ["python3", "-m", "services"]
CMD ["all"]
