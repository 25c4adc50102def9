//! GDAL's settings file of a user, `~/.gdal/gdalrc`: one option of it, every other line as it is.

/// The option that says where plugins are.
const OPTION: &str = "GDAL_DRIVER_PATH";

/// The section that options stand in; GDAL knows it in this spelling only.
const SECTION: &str = "[configoptions]";

/// The text of a file, cut into lines with their ends.
pub struct Settings<'a> {
    lines: Vec<&'a str>,
    /// The line that counts: GDAL takes the last one.
    place: Option<usize>,
}

impl<'a> Settings<'a> {
    /// Finds the option.
    pub fn read(text: &'a str) -> Self {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let (mut place, mut inside) = (None, false);
        for (index, line) in lines.iter().map(|line| end_of(line).0).enumerate() {
            if line.starts_with('[') {
                inside = line == SECTION;
            } else if inside && value_of(line).is_some() {
                place = Some(index);
            }
        }
        Self { lines, place }
    }

    /// The plugin folders, if the file sets any.
    pub fn driver_path(&self) -> Option<&'a str> {
        value_of(end_of(self.lines[self.place?]).0)
    }

    /// The file with other plugin folders, or without the option.
    pub fn with_driver_path(&self, value: Option<&str>) -> String {
        let new = value.map(|value| format!("{OPTION}={value}"));
        let mut lines: Vec<String> = self.lines.iter().map(|line| line.to_string()).collect();
        match (self.place, new) {
            (Some(place), Some(new)) => lines[place] = new + end_of(self.lines[place]).1,
            (Some(place), None) => drop(lines.remove(place)),
            (None, Some(new)) => add(&mut lines, &new),
            (None, None) => {}
        }
        lines.concat()
    }

    /// Whether nothing is left but a section without options.
    pub fn is_empty(text: &str) -> bool {
        text.lines().all(|line| line.is_empty() || line == SECTION)
    }
}

/// At the start of the section, which is made when there is none.
fn add(lines: &mut Vec<String>, new: &str) {
    let section = lines.iter().position(|line| end_of(line).0 == SECTION);
    if let Some(last) = lines.last_mut().filter(|last| !last.ends_with('\n')) {
        last.push('\n');
    }
    match section {
        Some(section) => lines.insert(section + 1, format!("{new}\n")),
        None => lines.push(format!("{SECTION}\n{new}\n")),
    }
}

/// A line without its end, and the end.
fn end_of(line: &str) -> (&str, &str) {
    line.split_at(line.trim_end_matches(['\r', '\n']).len())
}

/// What a line sets the option to. GDAL takes `=` and `:`, and names in any case.
fn value_of(line: &str) -> Option<&str> {
    let (name, value) = line.split_once(['=', ':'])?;
    name.trim().eq_ignore_ascii_case(OPTION).then_some(value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(text: &str, value: Option<&str>) -> String {
        Settings::read(text).with_driver_path(value)
    }

    #[test]
    fn every_other_line_stays() {
        let text = "# mine\r\n[directives]\r\nignore-env-vars=no\r\n[configoptions]\r\nGDAL_CACHEMAX=64\r\n\
                    gdal_driver_path = /a:/b\r\n[credentials]\r\n[.x]\r\npath=/vsis3/x\r\nGDAL_DRIVER_PATH=/c";
        let settings = Settings::read(text);
        assert_eq!(settings.driver_path(), Some("/a:/b"));
        assert_eq!(
            changed(text, Some("/n")),
            text.replace("gdal_driver_path = /a:/b", "GDAL_DRIVER_PATH=/n")
        );
        assert_eq!(changed(text, None), text.replace("gdal_driver_path = /a:/b\r\n", ""));
    }

    #[test]
    fn the_section_is_made_when_there_is_none() {
        assert_eq!(changed("", Some("/n")), "[configoptions]\nGDAL_DRIVER_PATH=/n\n");
        assert_eq!(changed("# x", Some("/n")), "# x\n[configoptions]\nGDAL_DRIVER_PATH=/n\n");
        assert_eq!(
            changed("[configoptions]\nA=1", Some("/n")),
            "[configoptions]\nGDAL_DRIVER_PATH=/n\nA=1\n"
        );
        assert_eq!(changed("[configoptions]", Some("/n")), "[configoptions]\nGDAL_DRIVER_PATH=/n\n");
        assert_eq!(changed("A=1\n", None), "A=1\n");
        assert!(
            Settings::is_empty("[configoptions]\n\n") && !Settings::is_empty("# mine\n[configoptions]\n")
        );
    }

    #[test]
    fn options_outside_the_section_and_comments_do_not_count() {
        for text in [
            "GDAL_DRIVER_PATH=/a\n",
            "[credentials]\nGDAL_DRIVER_PATH=/a\n",
            "[configoptions]\n#GDAL_DRIVER_PATH=/a\n",
        ] {
            assert_eq!(Settings::read(text).driver_path(), None, "{text}");
        }
        let twice = "[configoptions]\nGDAL_DRIVER_PATH=/a\nGDAL_DRIVER_PATH=/b\n";
        assert_eq!(Settings::read(twice).driver_path(), Some("/b"));
    }
}
