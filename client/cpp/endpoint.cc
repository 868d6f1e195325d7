#include "client/cpp/endpoint.h"

#include <cstdlib>
#include <fstream>
#include <string_view>

#include "absl/status/status.h"

namespace curvecast {
namespace {

constexpr std::string_view kTls = "tls://";
constexpr std::streamsize kMaxPemBytes = 1 << 20;  // All roots of a system are a quarter of that.

// The file that a variable names; empty if it names none.
absl::StatusOr<std::string> ReadPem(const char* variable) {
  const char* path = std::getenv(variable);
  if (path == nullptr || *path == '\0') return "";
  const auto wrong = [&](const char* what) {
    return absl::InvalidArgumentError(std::string(variable) + ": " + path + " " + what);
  };
  std::ifstream in(path, std::ios::binary);
  std::string text(static_cast<size_t>(kMaxPemBytes) + 1, '\0');
  if (!in || !(in.read(text.data(), kMaxPemBytes + 1) || in.eof())) {
    return wrong("cannot be read; name a file in PEM that this process may read");
  }
  text.resize(static_cast<size_t>(in.gcount()));
  if (in.gcount() > kMaxPemBytes || text.find("-----BEGIN ") == std::string::npos) {
    return wrong("is not in PEM; name a file with \"-----BEGIN\" lines, of a megabyte at most");
  }
  return text;
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> TlsCredentials() {
  absl::StatusOr<std::string> roots = ReadPem("CURVECAST_TLS_CA");
  if (!roots.ok()) return roots.status();
  absl::StatusOr<std::string> certificate = ReadPem("CURVECAST_TLS_CERTIFICATE");
  if (!certificate.ok()) return certificate.status();
  absl::StatusOr<std::string> key = ReadPem("CURVECAST_TLS_KEY");
  if (!key.ok()) return key.status();
  if (certificate->empty() != key->empty()) {
    return absl::InvalidArgumentError(
        "CURVECAST_TLS_CERTIFICATE and CURVECAST_TLS_KEY go together; set both, or neither if the daemon asks for no "
        "certificate");
  }
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = *std::move(roots);  // Empty: the system's.
  options.pem_cert_chain = *std::move(certificate);
  options.pem_private_key = *std::move(key);
  return grpc::SslCredentials(options);
}

}  // namespace

absl::StatusOr<Endpoint> ToEndpoint(const std::string& address) {
  if (address.rfind(kTls, 0) == 0) {
    absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> credentials = TlsCredentials();
    if (!credentials.ok()) return credentials.status();
    return Endpoint{address.substr(kTls.size()), *std::move(credentials)};
  }
  // "unix:" and "dns:" are gRPC's own names and stay its business.
  if (address.rfind("http", 0) == 0 && address.find("://") != std::string::npos) {
    return absl::InvalidArgumentError("the address is \"" + address +
                                      "\"; write host:port, or tls://host:port for a daemon with a certificate");
  }
  return Endpoint{address, grpc::InsecureChannelCredentials()};
}

}  // namespace curvecast
