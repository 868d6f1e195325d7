#include "daemon/rpc/tls.h"

#include <grpcpp/grpcpp.h>

#include <fstream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace curvecast {
namespace {

constexpr std::streamsize kMaxPemBytes = 1 << 20;

// Twin of that in client/cpp/endpoint.cc, which sees no other room.
absl::StatusOr<std::string> ReadPemFile(const std::string& setting, const std::string& path) {
  const auto wrong = [&](const char* what) { return absl::InvalidArgumentError(setting + ": " + path + " " + what); };
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

// gRPC would say so at each handshake, and a port of connections that others accept opens all the same.
bool AreOfUse(const std::shared_ptr<grpc::ServerCredentials>& credentials) {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", credentials, &port);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  return server != nullptr && port != 0;
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> ServerCredentialsOf(const RpcServer::Tls& files) {
  if (files.certificate.empty() && files.key.empty() && files.client_ca.empty()) {
    return grpc::InsecureServerCredentials();
  }
  if (files.certificate.empty() || files.key.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(files.certificate.empty() ? "listen.tls_certificate" : "listen.tls_key",
                     ": is not set; TLS needs a certificate and its key"));
  }
  absl::StatusOr<std::string> certificate = ReadPemFile("listen.tls_certificate", files.certificate);
  if (!certificate.ok()) return certificate.status();
  absl::StatusOr<std::string> key = ReadPemFile("listen.tls_key", files.key);
  if (!key.ok()) return key.status();
  grpc::SslServerCredentialsOptions options;
  if (!files.client_ca.empty()) {
    absl::StatusOr<std::string> client_ca = ReadPemFile("listen.tls_client_ca", files.client_ca);
    if (!client_ca.ok()) return client_ca.status();
    options.pem_root_certs = *std::move(client_ca);
    options.client_certificate_request = GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
  }
  options.pem_key_cert_pairs.push_back({*std::move(key), *std::move(certificate)});
  std::shared_ptr<grpc::ServerCredentials> credentials = grpc::SslServerCredentials(options);
  if (AreOfUse(credentials)) return credentials;
  return absl::InvalidArgumentError(
      absl::StrCat("listen.tls_certificate: ", files.certificate, " and listen.tls_key: ", files.key,
                   " are of no use together; name a certificate and the key that it was made for, without a password",
                   files.client_ca.empty() ? "" : absl::StrCat(", and check listen.tls_client_ca: ", files.client_ca)));
}

}  // namespace curvecast
