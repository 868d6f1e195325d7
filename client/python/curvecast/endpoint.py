"""What an address means: "host:port", or "tls://host:port" with the files that CURVECAST_TLS_... name. As client/cpp/endpoint.h."""

import os

import grpc

_TLS = "tls://"
_MAX_PEM_BYTES = 1 << 20


def connect(address, options):
    """A channel to the daemon. ValueError, with what to do, if the address or what it needs of the environment is wrong. The files
    are read anew each time, so that a renewed one counts from the next connection."""
    if address.startswith(_TLS):
        roots = _read_pem("CURVECAST_TLS_CA")  # None: the system's.
        certificate, key = _read_pem("CURVECAST_TLS_CERTIFICATE"), _read_pem("CURVECAST_TLS_KEY")
        if (certificate is None) != (key is None):
            raise ValueError(
                "CURVECAST_TLS_CERTIFICATE and CURVECAST_TLS_KEY go together; set both, or neither if the daemon asks for no certificate"
            )
        credentials = grpc.ssl_channel_credentials(roots, key, certificate)
        return grpc.secure_channel(address[len(_TLS) :], credentials, options=options)
    if address.startswith("http") and "://" in address:
        raise ValueError(f'the address is "{address}"; write host:port, or tls://host:port for a daemon with a certificate')
    return grpc.insecure_channel(address, options=options)


def _read_pem(variable):
    path = os.environ.get(variable)
    if not path:
        return None
    try:
        with open(path, "rb") as file:
            pem = file.read(_MAX_PEM_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{variable}: {path} cannot be read; name a file in PEM that this process may read") from error
    if len(pem) > _MAX_PEM_BYTES or b"-----BEGIN " not in pem:
        raise ValueError(f'{variable}: {path} is not in PEM; name a file with "-----BEGIN" lines, of a megabyte at most')
    return pem
