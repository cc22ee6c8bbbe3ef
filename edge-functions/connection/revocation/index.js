// Lets a connection in unless its certificate was revoked: the key value store has the serial numbers of those that were, as
// "0b:ad:c0:de", and why. It can be changed at once, without publishing the function or loading a list again.
//
// Viewers without a certificate (mutual TLS in mode "optional") are let in; the origin tells them by
// CloudFront-Viewer-Cert-Present.

import cf from 'cloudfront';

/** @param {CloudFrontFunctions.Connection} connection */
async function connectionHandler(connection) {
  if (!connection.clientCertificate) {
    connection.allow();
    return;
  }
  const serial = connection.clientCertificate.certificates.leaf.serialNumber;
  const store = cf.kvs();
  const revoked = await store.exists(serial);
  if (revoked) {
    const reason = await store.get(serial);
    connection.logCustomData('revoked: ' + reason);
    connection.deny();
    return;
  }
  connection.allow();
}
