//! Where a viewer is: databases in MaxMind's format, which the operator brings.

use maxminddb::{Reader, geoip2};
use rimward_config::GeoFiles;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The largest database: those of whole countries' cities have a tenth of it.
const MOST: u64 = 1 << 30;

/// A database cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {path}: {reason}")]
pub struct GeoError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

/// The databases.
#[derive(Default)]
pub struct Geo {
    places: Option<Arc<Database>>,
    networks: Option<Arc<Database>>,
}

struct Database {
    digest: [u8; 32],
    reader: Reader<Vec<u8>>,
}

/// What a database says of an address. Texts are as it has them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Place {
    /// Country, two letters (ISO 3166-1).
    pub country: Option<String>,
    /// The country's name in English.
    pub country_name: Option<String>,
    /// The country's largest part that the address lies in, up to three characters (ISO 3166-2, without the country).
    pub region: Option<String>,
    /// The part's name in English.
    pub region_name: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Degrees.
    pub latitude: Option<f64>,
    /// Degrees.
    pub longitude: Option<f64>,
    /// Metro code, in the United States alone.
    pub metro_code: Option<u16>,
    /// IANA time zone.
    pub time_zone: Option<String>,
}

// === impl Geo ===

impl Geo {
    /// Reads and verifies the databases; those that have not changed since `before` are taken over. Blocks for seconds where they are
    /// large.
    ///
    /// # Errors
    /// The first one that cannot be used.
    pub fn read(files: &GeoFiles, before: &Geo) -> Result<Self, GeoError> {
        let read = |path: &Option<PathBuf>, before: &Option<Arc<Database>>| {
            path.as_ref().map(|path| Database::read(path, before.as_ref())).transpose()
        };
        Ok(Self { places: read(&files.places, &before.places)?, networks: read(&files.networks, &before.networks)? })
    }

    /// Where `address` is; `None` when no database knows.
    pub fn place_of(&self, address: IpAddr) -> Option<Place> {
        let found = self.places.as_ref()?.reader.lookup(address.to_canonical()).ok()?;
        let city: geoip2::City<'_> = found.decode().ok()??;
        let text = |text: Option<&str>| text.map(str::to_owned);
        let region = city.subdivisions.first();
        Some(Place {
            country: text(city.country.iso_code),
            country_name: text(city.country.names.english),
            region: region.and_then(|region| text(region.iso_code)),
            region_name: region.and_then(|region| text(region.names.english)),
            city: text(city.city.names.english),
            postal_code: text(city.postal.code),
            latitude: city.location.latitude,
            longitude: city.location.longitude,
            metro_code: city.location.metro_code.filter(|_| city.country.iso_code == Some("US")),
            time_zone: text(city.location.time_zone),
        })
    }

    /// The autonomous system that `address` belongs to.
    pub fn network_of(&self, address: IpAddr) -> Option<u32> {
        let found = self.networks.as_ref()?.reader.lookup(address.to_canonical()).ok()?;
        found.decode::<geoip2::Asn<'_>>().ok()??.autonomous_system_number
    }
}

impl Database {
    fn read(path: &Path, before: Option<&Arc<Self>>) -> Result<Arc<Self>, GeoError> {
        let failed = |reason: String| GeoError { path: path.to_owned(), reason };
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path);
        let read = file.and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes));
        read.map_err(|error| failed(error.to_string()))?;
        if bytes.len() as u64 > MOST {
            return Err(failed(format!("it has more than {MOST} bytes")));
        }
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        if let Some(same) = before.filter(|before| before.digest == digest) {
            return Ok(same.clone());
        }
        // Lookups trust nothing either; a broken file is found out now, while the one before it can serve on.
        let reader = Reader::from_source(bytes).map_err(|error| failed(error.to_string()))?;
        reader.verify().map_err(|error| failed(error.to_string()))?;
        Ok(Arc::new(Self { digest, reader }))
    }
}

#[cfg(test)]
mod tests;
