//! Kinds of devices, by what browsers and players say of themselves. More than one may be true.

/// What a `User-Agent` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Devices {
    pub(super) android: bool,
    pub(super) desktop: bool,
    pub(super) ios: bool,
    pub(super) mobile: bool,
    pub(super) smart_tv: bool,
    pub(super) tablet: bool,
}

/// Words of televisions, and of boxes and sticks for them.
const SMART_TV: [&str; 14] = [
    "smart-tv",
    "smarttv",
    "smart tv",
    "appletv",
    "apple tv",
    "googletv",
    "google tv",
    "hbbtv",
    "netcast",
    "web0s",
    "bravia",
    "crkey",
    "roku",
    "android tv",
];
const TABLET: [&str; 5] = ["ipad", "tablet", "kindle", "silk/", "playbook"];
const MOBILE: [&str; 7] = ["mobi", "iphone", "ipod", "blackberry", "opera mini", "windows phone", "iemobile"];

impl Devices {
    pub(super) fn of(user_agent: &str) -> Self {
        let text = user_agent.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let android = has(&["android"]);
        // Fire TV models are named AFT...; Tizen is on watches too.
        let smart_tv = has(&SMART_TV) || (has(&["tizen"]) && has(&["tv"])) || (android && has(&["; aft"]));
        let mobile = !smart_tv && has(&MOBILE);
        // Android calls phones mobile, and tablets nothing.
        let tablet = !smart_tv && (has(&TABLET) || (android && !mobile));
        let ios = has(&["iphone", "ipad", "ipod"]);
        Self { android, desktop: !(mobile || tablet || smart_tv), ios, mobile, smart_tv, tablet }
    }
}

#[cfg(test)]
mod tests {
    use super::Devices;

    #[test]
    fn common_devices_are_told_apart() {
        let none = Devices::default();
        for (user_agent, devices) in [
            ("", Devices { desktop: true, ..none }),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0 Safari/537.36", Devices { desktop: true, ..none }),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148",
                Devices { ios: true, mobile: true, ..none },
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) Mobile/15E148",
                Devices { ios: true, mobile: true, tablet: true, ..none },
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; Pixel 8) Mobile Safari/537.36",
                Devices { android: true, mobile: true, ..none },
            ),
            ("Mozilla/5.0 (Linux; Android 13; SM-X700) Safari/537.36", Devices { android: true, tablet: true, ..none }),
            ("Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0) TV Safari/537.36", Devices { smart_tv: true, ..none }),
            ("Mozilla/5.0 (Linux; Android 9; AFTKA) Safari/537.36", Devices { android: true, smart_tv: true, ..none }),
            ("curl/8.5.0", Devices { desktop: true, ..none }),
        ] {
            assert_eq!(Devices::of(user_agent), devices, "{user_agent}");
        }
    }
}
